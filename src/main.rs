//! The program: everything is in the library.

// Calls are set up and forgotten by several threads, each freeing what another made: the system's allocator spends a fifth of
// a call's time on that, and keeps what a burst of logins took.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // The system would hand memory out two megabytes at once and empty them first, in the middle of somebody's call. Where it
    // cannot be told so, it goes on as it did.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    ringdesk::app::cli::run()
}
