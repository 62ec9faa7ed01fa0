//! What a plugin's process may do, and what becomes of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use muster::failure::Code;
use muster::plugin::{Command, Question};
use muster::plugin_host::{PluginHost as _, for_one_run};
use muster::trouble::TroubleKind;
use muster::verify::Verdict;
use serde_json::json;

use super::workshop::{Case, IDENTITY, NAME, Plugins, fine, metadata, print, script};

/// The plugin is sound but for what it does when it is asked to verify.
fn verifying(action: &str) -> Plugins {
    Plugins::answering(&metadata(&[IDENTITY]), action)
}

fn impatient() -> Case {
    Case::new().with(|case| case.deadline = Duration::from_secs(1))
}

#[test]
fn j_sound_plugin_passes() {
    let judged = Case::new().judge(&verifying(&print(&fine(&[IDENTITY], &[]))));
    judged.is(Verdict::Pass, None);
}

#[test]
fn j_missing() {
    let judged = Case::new().judge(&Plugins::new());
    assert!(judged.undecided(Code::PluginMissing).contains("does not exist"));
}

#[test]
fn j_symlinks_fifos_and_directories_are_not_run() {
    type Replace = fn(&Plugins);
    let replace: [(Replace, &str); 4] = [
        (
            |plugins| {
                let program = plugins.path(&format!("plugins/{NAME}/notation-{NAME}"));
                fs::rename(&program, plugins.path("elsewhere")).unwrap();
                symlink(plugins.path("elsewhere"), program).unwrap();
            },
            "a symbolic link",
        ),
        (
            |plugins| {
                let folder = plugins.path(&format!("plugins/{NAME}"));
                fs::rename(&folder, plugins.path("elsewhere")).unwrap();
                symlink(plugins.path("elsewhere"), folder).unwrap();
            },
            "a symbolic link",
        ),
        (
            |plugins| {
                let program = plugins.path(&format!("plugins/{NAME}/notation-{NAME}"));
                fs::remove_file(&program).unwrap();
                assert!(std::process::Command::new("mkfifo").arg(program).status().unwrap().success());
            },
            "a named pipe",
        ),
        (
            |plugins| {
                let program = plugins.path(&format!("plugins/{NAME}/notation-{NAME}"));
                fs::remove_file(&program).unwrap();
                fs::create_dir(program).unwrap();
            },
            "a directory",
        ),
    ];
    for (replace, words) in replace {
        let plugins = verifying(&print(&fine(&[IDENTITY], &[])));
        replace(&plugins);
        let judged = Case::new().judge(&plugins);
        let message = judged.undecided(Code::PluginMissing);
        assert!(message.contains(words) && plugins.started() == 0, "{message}");
    }
}

#[test]
fn j_what_others_may_write_is_not_run() {
    for path in ["plugins".to_owned(), format!("plugins/{NAME}"), format!("plugins/{NAME}/notation-{NAME}")] {
        let plugins = verifying(&print(&fine(&[IDENTITY], &[])));
        fs::set_permissions(plugins.path(&path), fs::Permissions::from_mode(0o777)).unwrap();
        let judged = Case::new().judge(&plugins);
        assert!(judged.undecided(Code::PluginMissing).contains("chmod go-w"));
        assert_eq!(plugins.started(), 0);
    }
}

#[test]
fn j_stdout_flood() {
    let judged = Case::new().judge(&verifying("exec cat /dev/zero"));
    assert!(judged.undecided(Code::PluginFailed).contains("more than 4194304 bytes"));
}

#[test]
fn j_stderr_flood() {
    let judged = Case::new().judge(&verifying("exec cat /dev/zero >&2"));
    assert!(judged.undecided(Code::PluginFailed).contains("more than 4194304 bytes"));
}

#[test]
fn an_answer_of_the_very_limit_is_read() {
    let fill = "cat > /dev/null; head -c 4194302 /dev/zero | tr '\\0' ' '; echo '{}'";
    // 4194302 + 3 bytes: one more than is allowed.
    Case::new().judge(&verifying(fill)).undecided(Code::PluginFailed);
    let answer = fine(&[IDENTITY], &[]).to_string();
    let fill =
        format!("cat > /dev/null; head -c {} /dev/zero | tr '\\0' ' '; printf %s '{answer}'", 4_194_304 - answer.len());
    Case::new().judge(&verifying(&fill)).is(Verdict::Pass, None);
}

#[test]
fn j_invalid_json() {
    for answer in ["", "{", "null", "[]", "{} {}", "ok", "{\"processedAttributes\":7}"] {
        let judged = Case::new().judge(&verifying(&format!("printf %s '{answer}'")));
        judged.undecided(Code::PluginFailed);
    }
}

#[test]
fn j_two_json_documents() {
    let answer = fine(&[IDENTITY], &[]);
    let judged = Case::new().judge(&verifying(&format!("echo '{answer}'; echo '{answer}'")));
    judged.undecided(Code::PluginFailed);
}

#[test]
fn j_exit_0_with_error_json() {
    let error = json!({ "errorCode": "ERROR", "errorMessage": "no" });
    Case::new().judge(&verifying(&format!("echo '{error}' >&2"))).undecided(Code::PluginFailed);
    Case::new().judge(&verifying(&format!("echo '{error}'"))).undecided(Code::PluginFailed);
}

#[test]
fn j_exit_1_with_empty_stderr() {
    let judged = Case::new().judge(&verifying("exit 1"));
    assert!(judged.undecided(Code::PluginFailed).ends_with("ended with exit code 1 and said nothing"));
}

#[test]
fn what_a_failing_plugin_says_is_told_and_escaped() {
    for (says, told) in [
        (
            r#"{"errorCode":"ACCESS_DENIED","errorMessage":"no\u001b[31m"}"#,
            r#"error code "ACCESS_DENIED": "no\u{1b}[31m""#,
        ),
        (
            r#"{"errorCode":"AuthorizationFailed","errorMessage":"x","errorMetadata":{"a":"b"}}"#,
            "\"AuthorizationFailed\": \"x\" (a: \"b\")",
        ),
        ("{}", "said \"{}\""),
        ("panic: oh", "said \"panic: oh\""),
        ("panic: oh\ngoroutine 1:\n\tmain", "said \"panic: oh; goroutine 1: main\""),
    ] {
        let judged = Case::new().judge(&verifying(&format!("printf %s '{says}' >&2; exit 3")));
        let message = judged.undecided(Code::PluginFailed);
        assert!(message.contains("exit code 3") && message.contains(told), "{message}");
    }
    let judged = Case::new().judge(&verifying("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 3"));
    assert!(judged.undecided(Code::PluginFailed).len() < 800);
}

#[test]
fn j_hangs() {
    for hang in ["sleep 1000", "trap '' TERM; while :; do sleep 1000; done", "sleep 1000 & sleep 1000 & wait"] {
        let judged = impatient().judge(&verifying(hang));
        assert!(judged.undecided(Code::PluginFailed).contains("did not answer within 1s"));
        assert!(judged.took >= Duration::from_secs(1));
    }
}

#[test]
fn a_plugin_may_take_leave() {
    let plugins = verifying("trap 'echo bye > \"$here/bye\"; exit 0' TERM; sleep 1000 & wait");
    impatient().judge(&plugins).undecided(Code::PluginFailed);
    assert!(plugins.path(&format!("plugins/{NAME}/bye")).exists());
}

#[test]
fn j_forks_a_daemon_that_holds_the_pipe() {
    let plugins = verifying(&format!("sleep 1000 &\n{}", print(&fine(&[IDENTITY], &[]))));
    let judged = Case::new().judge(&plugins);
    judged.is(Verdict::Pass, None);
}

#[test]
fn j_daemon_in_a_session_of_its_own_is_not_waited_for() {
    let plugins = verifying(&format!("setsid sleep 20 &\n{}", print(&fine(&[IDENTITY], &[]))));
    let judged = Case::new().judge(&plugins);
    judged.is(Verdict::Pass, None);
}

#[test]
fn j_ignores_stdin() {
    let answer = fine(&[IDENTITY], &[]);
    let judged = Case::new()
        // More than a pipe holds.
        .with(|case| drop(case.config.insert("filler".to_owned(), "x".repeat(1 << 20))))
        .judge(&verifying(&format!("exec <&-; echo '{answer}'")));
    judged.is(Verdict::Pass, None);
}

#[test]
fn j_closes_its_output_and_stays() {
    let judged = impatient().judge(&verifying("exec >&- 2>&-; sleep 1000"));
    judged.undecided(Code::PluginFailed);
}

#[test]
fn j_dies_by_signal() {
    let judged = Case::new().judge(&verifying("kill -SEGV $$"));
    assert!(judged.undecided(Code::PluginFailed).contains("was ended by signal 11"));
}

#[test]
fn j_cannot_be_started() {
    let plugins = Plugins::new();
    plugins.install(NAME, "");
    let program = plugins.path(&format!("plugins/{NAME}/notation-{NAME}"));
    fs::write(&program, "#!/nonexistent/interpreter\n").unwrap();
    assert!(Case::new().judge(&plugins).undecided(Code::PluginFailed).contains("could not be started"));
}

fn question(request: &str) -> Question {
    let request = request.as_bytes().to_vec().into();
    Question { plugin: NAME.to_owned(), command: Command::VerifySignature, request }
}

#[test]
fn one_process_answers_all_who_ask_the_same() {
    let plugins = verifying("cat > /dev/null; sleep 0.3; echo '{\"a\":1}'");
    let programs = for_one_run(plugins.programs(Duration::from_secs(20)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (same, other) = (question("{}"), question("{ }"));
    runtime.block_on(async {
        let (a, b, c) = tokio::join!(programs.ask(&same), programs.ask(&same), programs.ask(&other));
        assert_eq!(a.unwrap(), "{\"a\":1}\n");
        assert!(b.is_ok() && c.is_ok());
        assert!(programs.ask(&same).await.is_ok());
    });
    assert_eq!(plugins.started(), 2);
}

#[test]
fn a_failure_is_remembered_too() {
    let plugins = verifying("exit 1");
    let programs = for_one_run(plugins.programs(Duration::from_secs(20)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..3 {
        let trouble = runtime.block_on(programs.ask(&question("{}"))).unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::PluginFailed);
    }
    assert_eq!(plugins.started(), 1);
}

#[test]
fn no_more_than_eight_run_at_a_time() {
    let plugins = verifying("cat > /dev/null; echo x >> \"$here/running\"; sleep 0.5; echo '{}'");
    let programs = plugins.programs(Duration::from_secs(20));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let questions: Vec<_> = (0..12).map(|number| question(&format!("{{\"n\":{number}}}"))).collect();
        let all = questions.iter().map(|question| programs.ask(question));
        let all = tokio::time::timeout(Duration::from_secs(25), futures_util::future::join_all(all));
        let watch = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            plugins.started()
        };
        let (answers, running) = tokio::join!(all, watch);
        assert!(answers.unwrap().iter().all(Result::is_ok));
        assert!(running <= 8, "{running} ran at once");
    });
    assert_eq!(plugins.started(), 12);
}

#[test]
fn stopping_ends_what_runs_and_starts_nothing_more() {
    let plugins = verifying("sleep 1000");
    let programs = plugins.programs(Duration::from_secs(1000));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = {
            let programs = programs.clone();
            tokio::spawn(async move { programs.ask(&question("{}")).await })
        };
        while plugins.started() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::timeout(Duration::from_secs(10), programs.stop()).await.unwrap();
        plugins.assert_nothing_left();
        assert!(running.await.unwrap().unwrap_err().message.contains("since the run was"));
        assert!(programs.ask(&question("{ }")).await.is_err());
    });
    assert_eq!(plugins.started(), 1);
}

#[test]
fn a_question_that_nobody_waits_for_any_more_is_ended() {
    let plugins = verifying("sleep 1000");
    let programs = plugins.programs(Duration::from_secs(1000));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let asked = question("{}");
        let asked = tokio::time::timeout(Duration::from_secs(1), programs.ask(&asked));
        assert!(asked.await.is_err());
        while plugins.started() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    plugins.assert_nothing_left();
}

#[test]
fn a_name_that_leads_elsewhere_touches_nothing() {
    let plugins = Plugins::new();
    plugins.install("p", "echo '{}'");
    let programs = plugins.programs(Duration::from_secs(5));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for name in ["../plugins/p", "p/../p", "/bin/true", "", "..", "p\0"] {
        let request = b"{}".to_vec().into();
        let question = Question { plugin: name.to_owned(), command: Command::GetPluginMetadata, request };
        let trouble = runtime.block_on(programs.ask(&question)).unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::PluginMissing, "{name:?}");
    }
    assert!(!plugins.path("plugins/p/pids").exists());
}

#[test]
fn metadata_is_asked_for_once_a_run_and_told_the_settings() {
    let plugins = Plugins::new();
    plugins.install(NAME, &script(&metadata(&[IDENTITY]), &print(&fine(&[IDENTITY], &[]))));
    let case = Case::new().with(|case| drop(case.config.insert("region".to_owned(), "eu".to_owned())));
    let programs = for_one_run(plugins.programs(Duration::from_secs(20)));
    for _ in 0..3 {
        assert_eq!(case.settle(case.evidence(), &*programs).verdict, Verdict::Pass);
    }
    assert_eq!(plugins.started(), 2);
    let request = fs::read_to_string(plugins.path(&format!("plugins/{NAME}/request-get-plugin-metadata"))).unwrap();
    assert_eq!(request, r#"{"pluginConfig":{"region":"eu"}}"#);
}
