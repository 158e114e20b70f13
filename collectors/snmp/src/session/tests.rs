// Cases follow with the recordings.
