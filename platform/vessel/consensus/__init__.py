"""Who may write the next block, what makes a block valid, and which chain is best."""
