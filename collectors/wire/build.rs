//! Compiles the schema in pure Rust, so that a fresh machine needs no `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const SCHEMA: &str = "proto/onenet/wire/v1/wire.proto";
    println!("cargo:rerun-if-changed={SCHEMA}");
    let descriptors = protox::compile([SCHEMA], ["proto"])?;
    // One answer in thousands of messages: it must not make each of them as large as a page.
    tonic_prost_build::configure()
        .boxed(".onenet.wire.v1.Done.flows")
        .codec_path("crate::lean::LeanCodec")
        .compile_fds(descriptors)?;
    Ok(())
}
