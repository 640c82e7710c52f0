//! The program: everything is in the library.

// Calls are set up and forgotten by several threads, each freeing what another made: the system's allocator spends a fifth of
// a call's time on that, and keeps what a burst of logins took.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ringdesk::app::cli::run()
}
