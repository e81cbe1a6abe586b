// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

//! Threads, some that wait for work since before the first request and some
//! that a request starts; and a handler that panics.
//!
//!     cargo build --release --example threads \
//!         --config 'build.rustflags="-Ctarget-feature=+crt-static"'
//!     sandbox-run -u '/pool?n=1000' target/release/examples/threads

use std::collections::HashMap;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use sandbox::{Request, Response};

type Job = Box<dyn FnOnce() -> u64 + Send>;

/// Workers that take jobs from one queue and put results into another.
struct Pool {
    jobs: Sender<Job>,
    results: Receiver<u64>,
}

impl Pool {
    fn new(workers: usize) -> Pool {
        let (jobs, queue) = channel::<Job>();
        let (done, results) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let (queue, done) = (Arc::clone(&queue), done.clone());
            thread::spawn(move || loop {
                let job = queue.lock().unwrap().recv();
                match job {
                    Ok(job) => done.send(job()).unwrap(),
                    Err(_) => return,
                }
            });
        }
        Pool { jobs, results }
    }
}

fn number(rq: &Request, name: &str, dflt: u64) -> u64 {
    rq.param(name)
        .and_then(|v| String::from_utf8(v).ok()?.parse().ok())
        .unwrap_or(dflt)
}

fn collatz(mut n: u64) -> u64 {
    let mut steps = 0;
    while n > 1 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

fn handle(pool: &Pool, rq: &Request) -> Response {
    let n = number(rq, "n", 100);
    let text = match rq.path() {
        "/pool" => {
            for i in 1..=n {
                pool.jobs.send(Box::new(move || collatz(i))).unwrap();
            }
            let sum: u64 = pool.results.iter().take(n as usize).sum();
            format!("{n} jobs, {sum} steps\n")
        }
        "/scope" => {
            let words: Vec<&str> = rq.query().split('&').collect();
            let counts = Mutex::new(HashMap::new());
            thread::scope(|s| {
                for w in &words {
                    s.spawn(|| *counts.lock().unwrap().entry(w.len()).or_insert(0) += 1);
                }
            });
            let mut counts: Vec<(usize, u64)> = counts.into_inner().unwrap().into_iter().collect();
            counts.sort_unstable();
            format!("{counts:?}\n")
        }
        "/join" => {
            let r = thread::spawn(|| -> u64 { panic!("in a thread") }).join();
            format!("the thread {}\n", if r.is_err() { "panicked" } else { "did not" })
        }
        "/panic" => {
            let v: Vec<u64> = Vec::new();
            format!("{}\n", v[n as usize])
        }
        _ => return Response::new(404).body("No such thing.\n"),
    };
    Response::new(200)
        .header("Content-Type", "text/plain")
        .header("Cache-Control", "max-age=10")
        .body(text)
}

fn main() {
    let pool = Pool::new(4);
    let e = sandbox::serve(|rq| handle(&pool, rq));
    eprintln!("{e}");
    std::process::exit(1);
}
