"""What the models say about receivables, cash and recurring revenue, one exhibit per module."""
