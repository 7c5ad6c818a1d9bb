"""What every kernel needs and no operator is known to: compilation, threads, result memory, facts about the processor."""
