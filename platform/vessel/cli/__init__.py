"""The command `vessel`: its commands, what they show and what their exit status means."""
