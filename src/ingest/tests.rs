//! Reading, parsing and collecting at once, with room for nearly nothing between them.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

struct Unseen;

impl Progress for Unseen {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

/// What ends an ingest early.
#[derive(Debug, Clone, Copy)]
enum End {
    Nothing,
    /// The sink fails at the item with this number.
    Failure(usize),
    /// Somebody stops it then.
    Stop(usize),
}

struct Counting {
    end: End,
    stop: Stop,
    items: usize,
    read: u64,
}

impl Sink for Counting {
    async fn take(&mut self, item: Item) -> Result<()> {
        self.items += 1;
        if let Item::Parsed(parsed, _) = &item {
            self.read += parsed.read;
        }
        // Others go on meanwhile.
        tokio::task::yield_now().await;
        match self.end {
            End::Failure(at) if at == self.items => Err(Error::Internal("the sink is full".into())),
            End::Stop(at) if at == self.items => {
                self.stop.store(true, Ordering::Relaxed);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Records of these lengths in a file of their own each, read to the end; none where that takes
/// for ever. When it returns, all threads have ended.
fn read_all(lengths: Vec<usize>, room: u64, threads: usize, end: End) -> Option<(Result<()>, u64)> {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        for (number, length) in lengths.iter().enumerate() {
            let record = format!("{{\"a\":\"{}\"}}\n", "x".repeat(*length));
            std::fs::write(folder.path().join(format!("{number}.json")), record).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let result = runtime.block_on(async {
            let paths = [folder.path().display().to_string()];
            let reading = Reading {
                files: discover::discover(&paths).await.unwrap(),
                ledger: HashMap::new(),
                threads,
                room: Room::within(room),
                unwrap: true,
            };
            let stop = Stop::default();
            let mut sink = Counting {
                end,
                stop: Arc::clone(&stop),
                items: 0,
                read: 0,
            };
            let result = read(reading, Arc::new(Unseen), stop, &mut sink).await;
            (result, sink.read)
        });
        // Waits for whoever still reads or parses.
        drop(runtime);
        done.send(result).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(60)).ok()
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Nothing),
        (1_usize..40).prop_map(End::Failure),
        (1_usize..40).prop_map(End::Stop)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn an_ingest_ends_however_little_room_there_is(
        lengths in prop::collection::vec(0_usize..40_000, 1..16),
        room in 0_u64..500_000,
        threads in 1_usize..4,
        end in end(),
    ) {
        let records = lengths.len() as u64;
        let ended = read_all(lengths, room, threads, end);
        let (result, read) = ended.expect("reading, parsing and collecting wait for each other");
        let items = 3 * records as usize;
        match end {
            End::Nothing => prop_assert!(result.is_ok() && read == records),
            End::Failure(at) => prop_assert_eq!(result.is_err(), at <= items),
            End::Stop(_) => {}
        }
    }
}
