"""What boards have measured: kept, thinned out with age, and asked for again."""
