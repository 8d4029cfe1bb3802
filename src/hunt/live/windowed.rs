//! Windowed detections: ticks that are due for the first time, and those whose window an event
//! entered late.

use super::probe::Probe;
use super::recorded::last_where;
use super::reopen::reopen;
use super::windowed_state::{KeyState, RecordedAlert, WindowedState, hash};
use super::{Changed, Step, StepRequest, tick_at};
use crate::alerts::{Alert, Change, EpisodeRule, Episodes, Origin, WindowRow};
use crate::config::format_instant;
use crate::detections::{Detection, Rhythm};
use crate::engine::{Engine, ScanFigures, Ticks};
use crate::error::Result;
use crate::hunt::micros;
use crate::hunt::ticks::{at_tick, between, count, each, in_parts, one_by_one, some};
use crate::hunt::window_rows::WindowRows;
use crate::hunt::windowed::before;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

/// For how long rows are kept one by one: what arrives later than that has the events looked at
/// again. Audit logs arrive within a day, mostly. Tests see more of that in less time.
const SETTLE: i64 = if cfg!(test) { 7 } else { 48 } * 3_600_000_000;

/// More rows than so many are not kept, however late something may arrive.
const MOST_RUNS: usize = 50_000;

/// What a step evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Nothing,
    /// No event entered or left a window since the last tick: what it found is found again.
    Same,
    /// The ticks from here on.
    From(i64),
    /// The same, and what is before them has changed as well.
    Again(i64),
}

pub(super) async fn step(detection: &Detection, request: StepRequest<'_>) -> Result<Step> {
    let Some(extent) = request.engine.extent() else {
        return Ok(Step::default());
    };
    let rhythm = &detection.header.rhythm;
    let begin = tick_at(detection, request.from.unwrap_or(extent.first));
    let state: Option<WindowedState> = match request.state {
        Some(name) => Some(request.files.read_value(name).await?),
        None => None,
    };
    let mut step = Step::default();
    let (mut work, past) = work(detection, request, state.as_ref(), begin, &mut step.read).await?;
    let mut state = state.unwrap_or_default();
    let begins = state.begins;
    let rule = EpisodeRule {
        detection: detection.id().to_owned(),
        severity: detection.header.severity.to_string(),
        rhythm: rhythm.clone(),
        lookback: detection.header.lookback.map_or(0, micros),
        per_window: false,
        first_tick: i64::MIN,
    };
    // From the last to the first: one that reaches ticks whose rows are kept takes those before it
    // along only if it reaches them.
    for stretch in past.into_iter().rev() {
        let limit = match work {
            Work::From(first) | Work::Again(first) => first.min(state.settled),
            Work::Nothing | Work::Same => state.settled,
        };
        // What is recorded of three ticks before may be looked at from there.
        let limit = (0..3).fold(limit, |limit, _| rhythm.previous(limit));
        if !reopen(detection, request, &rule, stretch, (begin, limit), &mut step).await? {
            work = Work::From(stretch.0);
        }
    }
    if work == Work::Nothing && request.state.is_some() {
        step.state = request.state.map(str::to_owned);
        return Ok(step);
    }
    let first = match work {
        Work::Nothing => rhythm.next(request.tick),
        Work::Same => rhythm.next(request.before.unwrap_or(request.tick)),
        // What is recorded of the tick before is right, and says which episodes are open there.
        Work::From(first) if first < state.settled => rhythm.previous(first).max(begin),
        Work::From(first) | Work::Again(first) => first,
    };
    let looks_again = first < state.settled || request.state.is_none() || matches!(work, Work::Again(_));
    let ticks = between(detection, first, request.tick);
    let mut rows = WindowRows::new(request.engine);
    match work {
        Work::Nothing => {}
        Work::Same => {
            for row in state.keys.values().flat_map(|key| &key.runs) {
                if Some(row.last) == request.before {
                    for tick in each(detection, ticks) {
                        for row in &row.rows {
                            rows.add(WindowRow { tick, ..row.clone() }).await?;
                        }
                    }
                }
            }
        }
        Work::From(_) | Work::Again(_) => {
            step.ticks += count(detection, ticks);
            step.read += evaluated(request.engine, detection, ticks, &mut rows, &mut step.notes).await?;
        }
    }
    if looks_again {
        state = look_again(detection, request, ticks, &mut step.read).await?;
    }
    let mut rows = rows.in_order().await?.peekable();
    // A row may be too old to be kept, and is known only from then on to have been found.
    let nothing = !looks_again && state.is_empty() && rows.peek().is_none();
    let mut merger = Merger {
        rule,
        request,
        first,
        // Of earlier ticks, not all rows are known.
        settled: request.tick.saturating_sub(SETTLE).max(state.settled),
        known: state.alerts,
        next: WindowedState {
            begins: Some(extent.first),
            ..WindowedState::default()
        },
        changes: Vec::new(),
        found: BTreeSet::new(),
    };
    merger.merge(state.keys, rows)?;
    let (next, changes) = merger.finish(detection);
    step.add(changes);
    step.state = match request.state {
        // That there is nothing needs not be said again.
        Some(name) if nothing && next.is_empty() && begins == Some(extent.first) => Some(name.to_owned()),
        _ => Some(request.files.write_value(&next).await?),
    };
    Ok(step)
}

/// What there is to do; and stretches of ticks, first and last, that are long past.
async fn work(
    detection: &Detection,
    request: StepRequest<'_>,
    state: Option<&WindowedState>,
    begin: i64,
    read: &mut ScanFigures,
) -> Result<(Work, Vec<(i64, i64)>)> {
    let work = |work| Ok((work, Vec::new()));
    let rhythm = &detection.header.rhythm;
    let lookback = detection.header.lookback.map_or(0, micros);
    let (Some(state), Some(before)) = (state, request.before) else {
        return work(match begin <= request.tick {
            true => Work::From(begin),
            false => Work::Nothing,
        });
    };
    let mut first: Option<i64> = None;
    let mut from = |tick: i64| first = Some(first.map_or(tick, |first: i64| first.min(tick)));
    // Before the first event there are no ticks, nor episodes: now there are more, which matters
    // to those who find something where there is nothing.
    if let Some(begins) = state.begins
        && let Some(extent) = request.engine.extent().filter(|extent| extent.first < begins)
    {
        let empty = rhythm.previous(extent.first.saturating_sub(lookback));
        let (found, figures) = at_tick(request.engine, detection, empty).await?;
        *read += figures;
        if !found.is_empty() {
            from(begin.saturating_sub(i64::from(request.from.is_some())));
        }
    }
    if let Some((again, _)) = request.again {
        from(tick_at(detection, again));
    }
    let due = tick_at(detection, before.saturating_add(1)).max(begin);
    let probe = Probe::of(request.engine, detection, request.tick).await?;
    let mut past = Vec::new();
    if let Some(probe) = &probe {
        let engine = request.engine.with_event_files(&request.arrived.files);
        let ticks = probe.ticks(&engine, rhythm, request.tick, read).await?;
        past = stretches(rhythm, ticks.range(..=request.tick), lookback);
    } else if !request.arrived.files.is_empty() {
        from(tick_at(
            detection,
            request.arrived.times().map_or(i64::MIN, |(first, _)| first),
        ));
    }
    // Where rows are kept, all ticks from there on are evaluated.
    let kept = rhythm.previous(rhythm.at_or_after(state.settled));
    while let Some((begins, _)) = past.pop_if(|(_, ends)| rhythm.next(*ends) >= kept) {
        from(begins);
    }
    if let Some((begins, _)) = past.first().copied().filter(|(begins, _)| *begins < begin) {
        past.clear();
        from(begins);
    }
    // What all later ticks are evaluated for anyhow needs not be looked at by itself.
    while let Some((begins, _)) = past.pop_if(|(_, ends)| first.is_some_and(|first| *ends >= first)) {
        first = first.map(|first| first.min(begins));
    }
    // Ticks that do not count say how an episode began that goes on in those that do.
    if begin <= request.tick && (before < begin || first.is_some_and(|first| first < begin)) {
        return work(Work::Again(begin));
    }
    if let Some(first) = first
        .map(|first| first.max(begin))
        .filter(|first| *first <= request.tick)
    {
        return Ok((Work::From(first.min(due)), past));
    }
    if due > request.tick {
        return Ok((Work::Nothing, past));
    }
    // Rows of the last tick stand for those of the next ones if these see the same events.
    let Some(probe) = probe.filter(|_| state.settled <= before && rhythm.is_tick(before)) else {
        return Ok((Work::From(due), past));
    };
    let (left, now) = (before.saturating_sub(lookback), request.tick.saturating_sub(lookback));
    let entered = probe.first(request.engine, before, request.tick, read).await?;
    let left = match entered {
        None => probe.first(request.engine, left, now.min(before), read).await?,
        entered => entered,
    };
    let work = match left {
        None => Work::Same,
        Some(_) => Work::From(due),
    };
    Ok((work, past))
}

/// The ticks whose windows hold events, of which the first tick of each is given, in order; those
/// with less than a window between them as one stretch.
fn stretches<'a>(rhythm: &Rhythm, firsts: impl Iterator<Item = &'a i64>, lookback: i64) -> Vec<(i64, i64)> {
    let mut stretches: Vec<(i64, i64)> = Vec::new();
    for first in firsts {
        let last = rhythm.at_or_before(first.saturating_add(lookback)).max(*first);
        match stretches.last_mut() {
            Some(stretch) if *first <= stretch.1.saturating_add(lookback) => stretch.1 = last,
            _ => stretches.push((*first, last)),
        }
    }
    stretches
}

/// The rows of ticks.
pub(super) async fn evaluated(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    rows: &mut WindowRows,
    notes: &mut Vec<String>,
) -> Result<ScanFigures> {
    if ticks.count() == 0 {
        return Ok(ScanFigures::default());
    }
    let done = match engine.is_frugal() {
        false => some(engine, detection, ticks, rows).await,
        true => in_parts(engine, detection, ticks, rows).await.map(|(read, _)| read),
    };
    match done {
        Ok(read) => Ok(read),
        Err(error) if error.is_out_of_memory() => Err(error),
        // Not everything that fails on some row of all ticks fails on the rows that one looks at.
        Err(error) => {
            *rows = WindowRows::new(engine);
            notes.push(format!("evaluated tick by tick, as all ticks at once failed: {error}"));
            one_by_one(engine, detection, each(detection, ticks), rows).await
        }
    }
}

/// The state as it would be before the first of these ticks, from the events and from what is
/// recorded.
async fn look_again(
    detection: &Detection,
    request: StepRequest<'_>,
    ticks: Ticks,
    read: &mut ScanFigures,
) -> Result<WindowedState> {
    let rhythm = &detection.header.rhythm;
    let mut state = WindowedState {
        settled: ticks.first,
        ..WindowedState::default()
    };
    if ticks.count() == 0 {
        return Ok(state);
    }
    state.keys = earlier(detection, request, ticks, read).await?;
    // An alert that ended right before may go on.
    let since = format_instant(rhythm.previous(ticks.first));
    let condition = format!("window_end >= TIMESTAMP '{since}'");
    let recorded = last_where(request.engine, detection.id(), &condition).await?;
    state.alerts = recorded
        .into_iter()
        .map(|(id, revision)| {
            let ours = revision.origin == Origin::Schedule;
            let recorded = RecordedAlert {
                withdrawn: revision.change == Change::Withdrawn,
                ..RecordedAlert::of(&revision.alert, revision.revision, ours)
            };
            (id, recorded)
        })
        .collect();
    Ok(state)
}

/// The rows before the first of these ticks of the episodes that are open there. Where only ticks
/// from a time on count, those before it still say how an episode began.
pub(super) async fn earlier(
    detection: &Detection,
    request: StepRequest<'_>,
    ticks: Ticks,
    read: &mut ScanFigures,
) -> Result<BTreeMap<String, KeyState>> {
    let rhythm = &detection.header.rhythm;
    let mut keys: BTreeMap<String, KeyState> = BTreeMap::new();
    let mut earlier = before(request.engine, detection, ticks, request.from, false, read).await?;
    earlier.sort_by_cached_key(|row| (row.key_text(), row.tick));
    for row in earlier {
        let tick = row.tick;
        let key = keys.entry(row.key_text()).or_default();
        match key.runs.last_mut().filter(|run| run.last == tick) {
            Some(run) => run.rows.push(row),
            None => key.push(tick, vec![row], rhythm),
        }
    }
    // Of a key that is open, episodes that ended before are found as well, not from their beginning.
    for key in keys.values_mut() {
        key.keep_last_stretch(rhythm.previous(ticks.first), rhythm);
    }
    Ok(keys)
}

/// Puts the rows of ticks into what was known, key by key.
struct Merger<'a> {
    rule: EpisodeRule,
    request: StepRequest<'a>,
    /// Rows of ticks from here on are new.
    first: i64,
    /// Rows of ticks from here on are kept.
    settled: i64,
    known: BTreeMap<String, RecordedAlert>,
    next: WindowedState,
    changes: Vec<Changed>,
    /// Ids of what was found.
    found: BTreeSet<String>,
}

impl Merger<'_> {
    fn merge(
        &mut self,
        mut keys: BTreeMap<String, KeyState>,
        mut rows: Peekable<impl Iterator<Item = Result<WindowRow>>>,
    ) -> Result<()> {
        while let Some(row) = rows.next() {
            let row = row?;
            let text = row.key_text();
            // Those before it have no new rows.
            while let Some(first) = keys.first_entry().filter(|first| *first.key() < text) {
                let (text, key) = first.remove_entry();
                self.of_key(text, key, Vec::new())?;
            }
            let mut of_key = vec![row];
            while let Some(next) = rows.next_if(|next| next.as_ref().is_ok_and(|next| next.key_text() == text)) {
                of_key.push(next?);
            }
            let key = keys.remove(&text).unwrap_or_default();
            self.of_key(text, key, of_key)?;
        }
        for (text, key) in keys {
            self.of_key(text, key, Vec::new())?;
        }
        Ok(())
    }

    fn of_key(&mut self, text: String, key: KeyState, rows: Vec<WindowRow>) -> Result<()> {
        let rhythm = self.rule.rhythm.clone();
        let mut all = key.rows_before(self.first, &rhythm);
        all.extend(rows);
        let mut kept = KeyState::default();
        let mut episodes = Episodes::going_on(self.rule.clone(), key.before);
        let mut ended = Vec::new();
        // The episode as it would have been at the last step.
        let mut then = None;
        let mut then_taken = self.request.before.is_none();
        let mut before_taken = false;
        let mut rows = all.into_iter().peekable();
        while let Some(row) = rows.next() {
            let tick = row.tick;
            if !then_taken && self.request.before.is_some_and(|before| tick > before) {
                then = episodes.so_far();
                then_taken = true;
            }
            if !before_taken && tick >= self.settled {
                kept.before = episodes.open().cloned();
                before_taken = true;
            }
            let mut of_tick = vec![row];
            while let Some(next) = rows.next_if(|next| next.tick == tick) {
                of_tick.push(next);
            }
            for row in &of_tick {
                ended.extend(episodes.push(row.clone())?);
            }
            if tick >= self.settled {
                kept.push(tick, of_tick, &rhythm);
            }
        }
        if !then_taken {
            then = episodes.so_far();
        }
        if !before_taken {
            kept.before = episodes.open().cloned();
        }
        // What ended before the first tick whose rows are kept cannot go on.
        let settled = self.settled;
        kept.before = kept
            .before
            .filter(|episode| rhythm.next(episode.last_tick()) >= settled);
        if kept.before.is_some() || !kept.runs.is_empty() {
            self.next.keys.insert(text, kept);
        }
        ended.extend(episodes.finish());
        for alert in ended {
            self.of_alert(alert, then.as_ref());
        }
        Ok(())
    }

    fn of_alert(&mut self, alert: Alert, then: Option<&Alert>) {
        let first_tick = alert
            .window_start
            .unwrap_or_default()
            .saturating_add(self.rule.lookback);
        let end = alert.window_end.unwrap_or(alert.time);
        // Ended before the range that counts.
        if self.request.from.is_some_and(|from| end < from) {
            return;
        }
        self.found.insert(alert.alert_id.clone());
        let known = self.known.get(&alert.alert_id);
        let mut revision = known.map_or(0, |known| known.revision);
        let ours = known.is_none_or(|known| known.ours);
        if known.is_none_or(|known| known.withdrawn || known.hash != hash(&alert)) {
            revision += 1;
            let was_due = self.request.before.is_some_and(|before| first_tick <= before);
            let as_then = then.filter(|then| then.alert_id == alert.alert_id).unwrap_or(&alert);
            let (change, late) = match known {
                None => (Change::New, was_due),
                Some(known) if !known.withdrawn && known.hash == hash(as_then) => (Change::Grown, false),
                Some(_) => (Change::Revised, true),
            };
            self.changes.push(Changed {
                alert: alert.clone(),
                change,
                revision,
                late_since: late.then_some(first_tick),
            });
        }
        if self.rule.rhythm.next(end) >= self.settled {
            let recorded = RecordedAlert::of(&alert, revision, ours);
            self.next.alerts.insert(alert.alert_id, recorded);
        }
    }

    fn finish(mut self, detection: &Detection) -> (WindowedState, Vec<Changed>) {
        self.next.settled = self.settled;
        for (id, known) in std::mem::take(&mut self.known) {
            // What ended before the first new tick was not looked for, unless its rows are kept.
            if self.found.contains(&id) {
                continue;
            }
            let mut known = known;
            if known.window_end >= self.first && known.ours && !known.withdrawn {
                known.revision += 1;
                known.withdrawn = true;
                self.changes.push(Changed {
                    revision: known.revision,
                    late_since: known.alert_first_tick(self.rule.lookback),
                    alert: known.clone().alert(detection.id(), id.clone()),
                    change: Change::Withdrawn,
                });
            }
            if self.rule.rhythm.next(known.window_end) >= self.settled {
                self.next.alerts.insert(id, known);
            }
        }
        let runs: usize = self.next.keys.values().map(|key| key.runs.len()).sum();
        if runs > MOST_RUNS {
            self.forget_rows();
        }
        (self.next, self.changes)
    }

    /// Keeps of every key no more than the episode that may go on.
    fn forget_rows(&mut self) {
        let settled = self.rule.rhythm.next(self.request.tick);
        for key in self.next.keys.values_mut() {
            let mut episodes = Episodes::going_on(self.rule.clone(), key.before.take());
            for row in key.rows_before(settled, &self.rule.rhythm) {
                // Rows of a key are in order.
                let _ = episodes.push(row);
            }
            key.runs.clear();
            let may_go_on = |last: i64| self.rule.rhythm.next(last) >= settled;
            key.before = episodes
                .open()
                .filter(|episode| may_go_on(episode.last_tick()))
                .cloned();
        }
        self.next.keys.retain(|_, key| key.before.is_some());
        let rhythm = &self.rule.rhythm;
        self.next
            .alerts
            .retain(|_, alert| rhythm.next(alert.window_end) >= settled);
        self.next.settled = settled;
    }
}
