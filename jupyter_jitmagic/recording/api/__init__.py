"""What the user holds: `jm.jit`, its object, `watch`, `keep`, programs of an entry."""
