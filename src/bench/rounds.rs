//! All work in turns.

use super::child::{Program, Took};
use super::sites::{Site, logs_of};
use super::{Bench, Progress, Stop};
use crate::capacity::statistics::{Summary, TOO_NOISY};
use crate::capacity::{Cache, Measurement, Phase, Quantities, Work};
use crate::config::format_instant;
use crate::detections::Detection;
use crate::error::Result;
use std::time::Instant;

/// What takes longer is repeated this often and no more, unless it is noisy.
const LONG_SECONDS: f64 = 4.0;
const LONG_REPEAT: usize = 3;

/// What is noisy is repeated up to so many times as often,
const AT_MOST: usize = 3;

/// in up to this part of the time that the other repetitions took.
const FURTHER: f64 = 0.4;

/// What is run.
#[derive(Debug, Clone, Copy)]
enum Action {
    /// A question by its number.
    Ask(usize),
    /// The tenant is stored in an empty lake.
    Ingest,
    /// Its pieces are merged.
    Compact,
    /// An arrival by its number is stored, and a schedule looks at it.
    Arrive(usize),
}

/// What is measured in one run.
#[derive(Debug)]
struct Measured {
    work: Work,
    quantities: Quantities,
    seconds: Vec<f64>,
    peak: Option<u64>,
}

impl Measured {
    fn new(work: Work, quantities: &Quantities) -> Self {
        Self {
            work,
            quantities: quantities.clone(),
            seconds: Vec::new(),
            peak: None,
        }
    }

    fn is_noisy(&self) -> bool {
        Summary::of(&self.seconds).is_none_or(|summary| summary.doubt(TOO_NOISY).is_some())
    }
}

/// One work on one site with some threads.
#[derive(Debug)]
struct Cell {
    site: usize,
    threads: usize,
    action: Action,
    measured: Vec<Measured>,
    /// Seconds of a run, all that is beside included.
    expected: f64,
}

impl Cell {
    fn repetitions(&self) -> usize {
        self.measured.iter().map(|one| one.seconds.len()).min().unwrap_or(0)
    }
}

/// Everything that is measured.
#[derive(Debug)]
pub(super) struct Rounds<'a> {
    bench: &'a Bench,
    program: &'a Program,
    sites: &'a [Site<'a>],
    only: String,
    cells: Vec<Cell>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(bench: &'a Bench, program: &'a Program, sites: &'a [Site<'a>], detections: &[Detection]) -> Self {
        let ids: Vec<&str> = detections.iter().map(Detection::id).collect();
        let mut cells = Vec::new();
        for (number, site) in sites.iter().enumerate() {
            for threads in &bench.threads {
                // How threads help is told by the sizes that the model is fitted on.
                if site.is_fitted() || *threads == bench.most_threads() {
                    cells.extend(of_site(number, site, *threads));
                }
            }
        }
        Self {
            bench,
            program,
            sites,
            only: ids.join(","),
            cells,
        }
    }

    /// Runs everything as often as it takes.
    pub(super) async fn run(&mut self, progress: &dyn Progress, stop: &Stop) -> Result<()> {
        let warm_up = if self.bench.quick { 0.0 } else { 1.0 };
        let rounds = f64::from(self.bench.repeat) + warm_up;
        if !self.bench.quick {
            for number in 0..self.cells.len() {
                self.say(number, "warming up", progress);
                self.once(number, stop).await?;
                let cell = &mut self.cells[number];
                cell.measured.iter_mut().for_each(|one| one.seconds.clear());
                progress.done((number + 1) as f64 / self.cells.len() as f64 / rounds);
            }
        }
        let begun = Instant::now();
        for round in 0..self.bench.repeat as usize {
            let number_of_cells = self.cells.len();
            for number in 0..number_of_cells {
                let cell = &self.cells[number];
                if round < LONG_REPEAT || cell.expected < LONG_SECONDS {
                    self.say(
                        number,
                        &format!("round {} of {}", round + 1, self.bench.repeat),
                        progress,
                    );
                    self.once(number, stop).await?;
                }
                let part = (number + 1) as f64 / number_of_cells as f64;
                progress.done((warm_up + round as f64 + part) / rounds);
            }
        }
        if self.bench.quick {
            return Ok(());
        }
        self.further(begun.elapsed().as_secs_f64() * FURTHER, progress, stop)
            .await
    }

    /// Repeats what is noisy.
    async fn further(&mut self, most_seconds: f64, progress: &dyn Progress, stop: &Stop) -> Result<()> {
        let begun = Instant::now();
        let most = self.bench.repeat as usize * AT_MOST;
        loop {
            let noisy: Vec<usize> = (0..self.cells.len())
                .filter(|number| {
                    let cell = &self.cells[*number];
                    cell.repetitions() < most && cell.measured.iter().any(Measured::is_noisy)
                })
                .collect();
            if noisy.is_empty() {
                return Ok(());
            }
            for number in noisy {
                if begun.elapsed().as_secs_f64() + self.cells[number].expected > most_seconds {
                    return Ok(());
                }
                self.say(number, "too noisy, once more", progress);
                self.once(number, stop).await?;
            }
        }
    }

    fn say(&self, number: usize, why: &str, progress: &dyn Progress) {
        let cell = &self.cells[number];
        let work = cell.measured.last().map(|one| one.work.to_string()).unwrap_or_default();
        let threads = if cell.threads == 1 { "thread" } else { "threads" };
        progress.stage(&format!(
            "{why}: {work}, {}, {} {threads}",
            self.sites[cell.site].logs.shape.words(),
            cell.threads
        ));
    }

    /// Runs a cell once.
    async fn once(&mut self, number: usize, stop: &Stop) -> Result<()> {
        let begun = Instant::now();
        let cell = &self.cells[number];
        let took = self
            .take(cell.action, &self.sites[cell.site], cell.threads, stop)
            .await?;
        let cell = &mut self.cells[number];
        for (measured, took) in cell.measured.iter_mut().zip(took) {
            measured.seconds.push(took.seconds);
            measured.peak = measured.peak.max(took.peak);
        }
        cell.expected = begun.elapsed().as_secs_f64();
        Ok(())
    }

    async fn take(&self, action: Action, site: &Site<'_>, threads: usize, stop: &Stop) -> Result<Vec<Took>> {
        let scratch = site.place.at("scratch");
        let program = |arguments: Vec<String>| self.program.run(threads, arguments, stop);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        let took = match action {
            Action::Ask(question) => {
                let (question, _) = &site.questions[question];
                return Ok(vec![program(question.arguments(&site.whole)).await?]);
            }
            Action::Ingest => {
                let logs = logs_of(&site.logs.folder);
                vec![program(words(&["ingest", &logs, "--lake", &scratch])).await?]
            }
            Action::Compact => {
                if let Some((pieces, _)) = &site.pieces {
                    site.place.copy(pieces, &scratch).await?;
                }
                vec![program(words(&["lake", "compact", "--lake", &scratch])).await?]
            }
            Action::Arrive(arrival) => {
                if let Some(begun) = &site.begun {
                    site.place.copy(begun, &scratch).await?;
                }
                let arrival = &site.logs.arrivals[arrival];
                let (logs, until) = (logs_of(&arrival.folder), format_instant(arrival.until));
                let ingest = words(&["ingest", &logs, "--lake", &scratch]);
                let tick = [
                    "schedule", "--once", "--until", &until, "--only", &self.only, "--lake", &scratch,
                ];
                vec![program(ingest).await?, program(words(&tick)).await?]
            }
        };
        site.place.remove(&scratch).await?;
        Ok(took)
    }

    /// What was measured.
    pub(super) fn measurements(&self) -> Vec<Measurement> {
        let of_cell = |cell: &Cell| {
            let site = &self.sites[cell.site];
            let of = |one: &Measured| Measurement {
                work: one.work.clone(),
                phase: match site.is_fitted() {
                    true => Phase::Fit,
                    false => Phase::Validate,
                },
                threads: cell.threads as u32,
                store: site.place.name().to_owned(),
                cache: Cache::Warm,
                quantities: one.quantities.clone(),
                seconds: one.seconds.clone(),
                peak_memory_bytes: one.peak,
            };
            cell.measured.iter().map(of).collect::<Vec<_>>()
        };
        self.cells.iter().flat_map(of_cell).collect()
    }
}

/// All that is done at a site.
fn of_site(number: usize, site: &Site<'_>, threads: usize) -> Vec<Cell> {
    let cell = |action, measured| Cell {
        site: number,
        threads,
        action,
        measured,
        expected: 0.0,
    };
    let mut cells = vec![cell(Action::Ingest, vec![Measured::new(Work::Ingest, &site.ingested)])];
    for (question, (asked, quantities)) in site.questions.iter().enumerate() {
        let measured = vec![Measured::new(asked.work.clone(), quantities)];
        cells.push(cell(Action::Ask(question), measured));
    }
    if let Some((_, quantities)) = &site.pieces {
        let measured = vec![Measured::new(Work::Compaction, quantities)];
        cells.push(cell(Action::Compact, measured));
    }
    for (arrival, (ingest, tick)) in site.arrived.iter().enumerate() {
        let measured = vec![Measured::new(Work::Ingest, ingest), Measured::new(Work::Tick, tick)];
        cells.push(cell(Action::Arrive(arrival), measured));
    }
    cells
}
