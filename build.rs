//! Embeds the console anew when it was built anew: cargo does not see by itself that files were added to a folder.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=web/plain");
}
