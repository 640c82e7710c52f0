//! The program: everything is in the library.

fn main() -> std::process::ExitCode {
    ringdesk::app::cli::run()
}
