//! The command in one process: formats, statements, and what errors say.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use super::common::{Ended, Run, documents, rows};

const SMALL: u64 = 2_000_000;

fn table() -> String {
    format!("docs={}", documents(SMALL).display())
}

fn query(args: &[&str]) -> Ended {
    Run::start([&["query", "--table", &table()], args].concat()).end()
}

#[test]
fn a_result_is_csv_when_nobody_sees_it() {
    let out = query(&[
        "SELECT count(*) AS documents, count_tokens('hello world') AS tokens FROM docs WHERE id < 10",
    ]);
    assert_eq!(out.succeeded(), "documents,tokens\n10,2\n");
}

#[test]
fn a_result_can_be_a_table() {
    let out = query(&["--format", "table", "SELECT 1 AS one"]).succeeded();
    assert_eq!(out, "+-----+\n| one |\n+-----+\n| 1   |\n+-----+\n");
}

#[test]
fn a_result_can_be_a_parquet_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.parquet");
    let path = file.to_str().unwrap();
    let out = query(&[
        "--output",
        path,
        "SELECT id, encode_tokens('hello world') AS ids FROM docs WHERE id < 2",
    ]);
    assert_eq!(out.succeeded(), "");
    assert_eq!(
        rows(&file),
        ["0\u{1f}[24912, 2375]", "1\u{1f}[24912, 2375]"]
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_can_have_several_statements() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.sql");
    let documents = documents(SMALL);
    let sql = format!(
        "SET datafusion.execution.batch_size = 100;\n\
         CREATE EXTERNAL TABLE d STORED AS PARQUET LOCATION '{}'; -- a comment\n\
         SELECT min(id) AS least FROM d;\nSELECT 'a;b' AS text;",
        documents.display()
    );
    fs::write(&file, sql).unwrap();
    let out = Run::start(["query", "--file", file.to_str().unwrap()]).end();
    assert_eq!(out.succeeded(), "least\n0\ntext\na;b\n");
}

#[test]
fn partitions_do_not_change_a_result() {
    let sql = "SELECT source, sum(count_tokens(text)) FROM docs GROUP BY source ORDER BY source";
    let one = query(&["--partitions", "1", sql]).succeeded();
    assert_eq!(one.lines().count(), 17);
    assert_eq!(query(&["--partitions", "5", sql]).succeeded(), one);
}

#[test]
fn errors_say_what_and_where() {
    let cases: [(&[&str], &str); 5] = [
        (&["SELECT count_tokens(text, 'nope') FROM docs"], "nope"),
        (&["SELECT nothing FROM docs"], "nothing"),
        (
            &["SELECT encode_tokens(text) FROM docs"],
            "CSV has no lists. Use --output FILE.parquet",
        ),
        (
            &["--output", "/no/such/folder/x.csv", "SELECT 1"],
            "cannot write /no/such/folder/x.csv",
        ),
        (&["--file", "/no/such.sql"], "cannot read /no/such.sql"),
    ];
    for (args, words) in cases {
        let said = query(args).failed();
        assert!(
            said.starts_with("tiktally-cluster: ") && said.contains(words),
            "{args:?}: {said}"
        );
    }
    let said = Run::start(["query", "--table", "d=/no/such/folder", "SELECT 1"])
        .end()
        .failed();
    assert!(said.contains("cannot open /no/such/folder"), "{said}");
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    let cases: [&[&str]; 5] = [
        &["query"],
        &["query", "--format", "parquet", "SELECT 1"],
        &["query", "--scheduler", "https://x", "SELECT 1"],
        &["executor"],
        &["nothing"],
    ];
    for args in cases {
        let ended = Run::start(args).end();
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {ended:?}");
    }
}

#[test]
fn a_scheduler_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let executor: &[&str] = &["executor", "--connect-timeout", "1", "--scheduler", &free];
    let client: &[&str] = &["query", "--scheduler", &free, "SELECT 1"];
    for args in [executor, client] {
        let ended = Run::start(args).end();
        assert!(ended.took.as_secs() < 30, "{ended:?}");
        let said = ended.failed();
        assert!(
            said.contains(&format!("cannot reach the scheduler at {free}")),
            "{said}"
        );
        assert!(
            said.contains("Start it with `tiktally-cluster scheduler`"),
            "{said}"
        );
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = Run::start(["scheduler", "--port", &port]).end().failed();
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
}

#[test]
fn the_corpus_has_nulls_and_all_sources() {
    let out = query(&["SELECT count(DISTINCT source) AS s, count(*) > count(text) AS n FROM docs"])
        .succeeded();
    assert_eq!(out, "s,n\n16,true\n");
    assert!(Path::new(&documents(SMALL)).ends_with("documents"));
}
