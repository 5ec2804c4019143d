package dev.alluvium.connect;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;

/** The core's side and Connect's side of errant records. */
final class FakeErrants implements Errants.Core, ErrantRecordReporter {
    List<Errants.Errant> waiting = List.of();
    final List<Long> done = new ArrayList<>();
    final List<String> reported = new ArrayList<>();
    final List<CompletableFuture<Void>> futures = new ArrayList<>();

    @Override
    public List<Errants.Errant> takeErrants() {
        return waiting;
    }

    @Override
    public void errantsDone(long[] ids) {
        for (long id : ids) {
            done.add(id);
        }
    }

    @Override
    public Future<Void> report(SinkRecord record, Throwable error) {
        reported.add(RecordBytes.position(record) + ": " + error.getMessage());
        futures.add(new CompletableFuture<>());
        return futures.get(futures.size() - 1);
    }
}
