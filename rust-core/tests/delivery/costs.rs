//! What an open costs, and what a commit: requests, counted and by name.

use crate::world::{META, Options, World, tp};
use alluvium_core::log::LogKeys;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A topic of very many partitions: their markers fill a listing's page before the next generation.
#[tokio::test(start_paused = true)]
async fn the_newest_generation_is_found_behind_more_markers_than_a_page_holds() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    worker.crash().await;
    let topic = format!("{META}/v1/topics/orders");
    for partition in 0..2_500 {
        world.memory.overwrite(&format!("{topic}/0001/{partition:05}.started"), "");
    }
    let first = world.memory.object(&format!("{topic}/0001.json")).unwrap();
    let first: serde_json::Value = serde_json::from_slice(&first).unwrap();
    for generation in 2..=3 {
        let mut object = first.clone();
        object["generation"] = generation.into();
        world.memory.overwrite(&format!("{topic}/000{generation}.json"), object.to_string());
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND / 2).await;
    let claimed = LogKeys::new(META, "sink", &tp(0), 3).record(1);
    assert!(world.memory.object(&claimed).is_some(), "claimed in generation 3");
}
