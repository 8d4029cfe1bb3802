//! Rebuilds when a file changes that is embedded into the program.

fn main() {
    println!("cargo:rerun-if-changed=sql");
    println!("cargo:rerun-if-changed=data/contoso");
}
