//! The small table at the end of the large one: repositories, and what became of their artifacts.

use std::io::{self, Write};

use crate::report::printable;
use crate::report::v1::{Results, Summary, Verdict, grouped};

/// How many repositories are listed.
const LISTED: usize = 20;

/// Writes the table, where there are several repositories. Only results that occur have a column.
pub(super) fn write(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let repositories = &summary.repositories;
    if repositories.len() < 2 {
        return Ok(());
    }
    let occurs: Vec<Verdict> =
        summary.results.each().into_iter().filter(|(_, count)| *count > 0).map(|(verdict, _)| verdict).collect();
    let count = |results: &Results, wanted: Verdict| {
        results.each().into_iter().find(|(verdict, _)| *verdict == wanted).map_or(0, |(_, count)| count)
    };
    let listed = &repositories[..repositories.len().min(LISTED)];
    let names: Vec<_> = listed.iter().map(|one| printable(&one.repository)).collect();
    writeln!(out)?;
    for verdict in &occurs {
        write!(out, "{:>7}", verdict.as_str())?;
    }
    writeln!(out, "  repository")?;
    for (one, name) in listed.iter().zip(&names) {
        for verdict in &occurs {
            cell(out, count(&one.results, *verdict))?;
        }
        writeln!(out, "  {name}")?;
    }
    rest(out, summary, &occurs)
}

fn cell(out: &mut dyn Write, count: u64) -> io::Result<()> {
    match count {
        0 => write!(out, "{:>7}", "-"),
        count => write!(out, "{count:>7}"),
    }
}

/// Writes the sum of what is not listed.
fn rest(out: &mut dyn Write, summary: &Summary, occurs: &[Verdict]) -> io::Result<()> {
    let more = summary.repositories.iter().skip(LISTED);
    let mut repositories = 0_u64;
    let mut sums = [0_u64; 5];
    for results in more.map(|one| &one.results).inspect(|_| repositories += 1).chain([&summary.other_repositories]) {
        for (sum, (_, count)) in sums.iter_mut().zip(results.each()) {
            *sum += count;
        }
    }
    if sums.iter().sum::<u64>() == 0 {
        return Ok(());
    }
    for (sum, (verdict, _)) in sums.iter().zip(Results::default().each()) {
        if occurs.contains(&verdict) {
            cell(out, *sum)?;
        }
    }
    let or_more = if summary.other_repositories == Results::default() { "" } else { " or more" };
    writeln!(out, "  {}{or_more} other repositories", grouped(repositories))
}
