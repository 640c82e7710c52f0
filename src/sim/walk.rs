//! People who do anything at any time: a random walk through the whole center, from one seed.
