"""Where bytes come from: paths, files, pipes, compressed or exported, cut into blocks of lines."""
