//! docker-compose.yml cannot be run here, so everything in it that can be run alone is: its health
//! checks, scripts and variables, against the process stack, with nothing but hosts and ports
//! replaced.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Output};

use alluvium_tests::{Stack, demo};
use serde_json::Value;

#[test]
fn what_compose_runs_works_on_the_process_stack() {
    let compose = compose_file();
    let services = &compose["services"];
    every_image_is_pinned(services);

    let stack = Stack::builder().seed().start().unwrap();
    let ports = ports_of(&stack);
    variables_are_the_stacks(services, &stack, &ports);
    for service in ["mysql", "kafka", "s3", "connect"] {
        let check = services[service]["healthcheck"]["test"][1].as_str().unwrap();
        let output = run_check(&stack, check, &ports);
        assert!(output.status.success(), "{service}: {check}: {output:?}");
        // A check that cannot fail is none: nobody listens on port 1.
        let nobody = ports.clone().map(|(port, _)| (port, "1".to_owned()));
        assert!(!run_check(&stack, check, &nobody).status.success(), "{service}: {check}");
    }

    let bootstrap = stack.kafka().unwrap().internal_bootstrap();
    let topics = [("KAFKA_BOOTSTRAP", bootstrap), ("KAFKA_TOPICS", "kafka-topics.sh".to_owned())];
    for _ in 0..2 {
        run_script(&stack, "create-topics.sh", &[], &topics);
    }
    let all = stack.kafka().unwrap().tool().run(&["list-topics"], &[]).unwrap();
    let topic = all.iter().find(|topic| topic["topic"] == "orders_cdc").unwrap();
    assert_eq!(topic["partitions"], 3);

    let url = format!("http://127.0.0.1:{}", stack.worker(0).unwrap().port());
    let source = stack.clone_path("connector-config/register-orders-connector.json");
    let connect = [("CONNECT_URL", url)];
    let first = run_script(&stack, "register-connectors.sh", &[&source], &connect);
    assert!(first.contains("inventory-orders is registered"), "{first}");
    let again = run_script(&stack, "register-connectors.sh", &[&source], &connect);
    assert!(!again.contains("is registered"), "{again}");
    assert!(again.contains("inventory-orders runs"), "{again}");
}

/// The file as `docker-compose` understands it, its variables filled in from `.env`.
fn compose_file() -> Value {
    // Debian's docker-compose brings PyYAML for Debian's Python, and prints nothing but YAML.
    let to_json = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let script = format!("docker-compose config | /usr/bin/python3 -c '{to_json}'");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = Command::new("sh").args(["-c", &script]).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn every_image_is_pinned(services: &Value) {
    for (name, service) in services.as_object().unwrap() {
        let image = service["image"].as_str().unwrap();
        let tag = image.rsplit_once(':').map(|(_, tag)| tag).unwrap_or("latest");
        assert!(tag.contains(|digit: char| digit.is_ascii_digit()), "{name}: {image}");
    }
}

/// Port in compose, port of this stack.
fn ports_of(stack: &Stack) -> [(&'static str, String); 5] {
    let port = |address: String| address.rsplit_once(':').unwrap().1.to_owned();
    let kafka = stack.kafka().unwrap();
    [
        ("3306", stack.mysql().unwrap().port().to_string()),
        ("29092", port(kafka.internal_bootstrap())),
        ("9092", port(kafka.bootstrap())),
        ("8333", port(stack.s3().unwrap().endpoint())),
        ("8083", stack.worker(0).unwrap().port().to_string()),
    ]
}

/// Each variable that a worker of the stack gets, compose's worker gets, with the same value but
/// for hosts and ports; and each worker property that compose sets, the stack sets to the same.
fn variables_are_the_stacks(services: &Value, stack: &Stack, ports: &[(&str, String)]) {
    let of_compose = &services["connect"]["environment"];
    for (name, value) in stack.env() {
        let text = of_compose[name].as_str().unwrap_or_else(|| panic!("{name} is not in compose"));
        let here = ["mysql", "kafka", "s3"]
            .iter()
            .fold(text.to_owned(), |text, host| text.replace(&format!("{host}:"), "127.0.0.1:"));
        let here = if here == "mysql" { "127.0.0.1".to_owned() } else { here };
        let secret = name.ends_with("PASSWORD") || name.ends_with("KEY");
        let expected = if secret { here } else { with_ports(&here, ports) };
        assert_eq!(value, &expected, "{name}");
    }
    let properties = std::fs::read_to_string(stack.folder().join("connect-0.properties")).unwrap();
    for (name, value) in of_compose.as_object().unwrap() {
        let Some(name) = name.strip_prefix("CONNECT_") else { continue };
        let line = format!("{}={}", name.to_lowercase().replace('_', "."), value.as_str().unwrap());
        assert!(properties.lines().any(|property| property == line), "{line}");
    }
}

fn run_check(stack: &Stack, check: &str, ports: &[(&str, String)]) -> Output {
    let check = with_ports(&check.replace("$$", "$"), ports);
    // The image's root has a password and comes by TCP; the stack's has none and comes by socket.
    let check = check
        .replace("/opt/kafka/bin/", "")
        .replace("-u root -p$MYSQL_ROOT_PASSWORD", "-u $MYSQL_USER -p$MYSQL_PASSWORD");
    command(stack, "sh").args(["-c", &check]).output().unwrap()
}

fn run_script(stack: &Stack, name: &str, args: &[&PathBuf], env: &[(&str, String)]) -> String {
    let script = stack.clone_path("scripts/compose").join(name);
    let env = env.iter().map(|(name, value)| (name, value));
    let output = command(stack, "sh").arg(script).args(args).envs(env).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name}: {said}{output:?}");
    said
}

/// A command that finds the programs of compose's images, and their variables.
fn command(stack: &Stack, program: &str) -> Command {
    let part = |name: &str| stack.parts().folder(name).unwrap().display().to_string();
    let path = [
        stack.clone_path("tests/stack/bin").display().to_string(),
        format!("{}/bin", part("mysql")),
        std::env::var("PATH").unwrap(),
    ];
    let mut command = Command::new(program);
    command.env("PATH", path.join(":")).env("KAFKA_CLASS_PATH", format!("{}/*", part("kafka")));
    for name in ["MYSQL_ROOT_PASSWORD", "MYSQL_USER", "MYSQL_PASSWORD"] {
        command.env(name, demo(name));
    }
    command
}

/// Replaces whole numbers only: a port of this stack may contain one of compose's.
fn with_ports(text: &str, ports: &[(&str, String)]) -> String {
    let mut rest = text;
    let mut done = String::new();
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|char: char| !char.is_ascii_digit()).unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        let ours = ports.iter().find(|(theirs, _)| *theirs == number);
        done.push_str(before);
        done.push_str(ours.map_or(number, |(_, port)| port));
        rest = after;
    }
    done + rest
}
