"""How other libraries sample: which input positions an output position reads, and with which weights."""
