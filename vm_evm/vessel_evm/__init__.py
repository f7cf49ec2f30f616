"""The Ethereum virtual machine as a container of the platform."""
