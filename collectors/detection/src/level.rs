//! What is usual in a series of numbers, and when it has left that for good.
