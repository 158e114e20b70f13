use super::{
    block::{BLOCK_FIRST, BLOCK_FRAMES, Block},
    *,
};
use crate::listener::Each;

fn reading(has_offload_header: bool) -> Reading {
    Reading { is_loopback: false, own: Vec::new(), has_offload_header }
}

#[test]
fn an_interface_that_is_not_there_is_named_with_those_that_are() {
    let error = Ring::open("nowhere0", &RingOptions::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("nowhere0") && text.contains("lo"), "{text}");
}

#[test]
fn the_missing_right_is_told_with_the_command_that_gives_it() {
    let error = RingError::NotPermitted { interface: "eth0".into(), program: "/opt/onenet/onenet-agent".into() };
    let text = error.to_string();
    assert!(text.contains("setcap cap_net_raw,cap_net_admin+ep /opt/onenet/onenet-agent"), "{text}");
}

#[test]
fn a_block_that_lies_about_its_frames_ends_without_reading_elsewhere() {
    let mut block = vec![0_u8; 4_096];
    block[BLOCK_FRAMES..][..4].copy_from_slice(&u32::MAX.to_ne_bytes());
    block[BLOCK_FIRST..][..4].copy_from_slice(&48_u32.to_ne_bytes());
    // A frame whose bytes would end behind the block, then offsets that lead out of it.
    for (next_offset, length) in [(0_u32, u32::MAX), (u32::MAX, 8), (8_000, 8), (0, 8)] {
        block[48..][..4].copy_from_slice(&next_offset.to_ne_bytes());
        block[60..][..4].copy_from_slice(&length.to_ne_bytes());
        for with_offload in [false, true] {
            assert!(block::read(&block, &reading(with_offload), &mut Each(|_, _, _, _: &[u8]| {})).frames <= 1);
        }
    }
    assert_eq!(block::read(&[], &reading(true), &mut Each(|_, _, _, _: &[u8]| {})), Block::default());
}
