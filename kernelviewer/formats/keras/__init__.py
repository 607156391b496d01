"""Reading Keras, in HDF5 files and the zips around them."""
