//! Nonsense from everywhere: a clear answer that names the place, and a server that keeps running.
