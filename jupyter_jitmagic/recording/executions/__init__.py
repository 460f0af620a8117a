"""When an execution ended: the waiter beside the caller, the caller that waits, and what is believed of both."""
