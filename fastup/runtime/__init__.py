"""What every kernel needs and no operator is known to: compilation, threads, result memory, processor facts."""
