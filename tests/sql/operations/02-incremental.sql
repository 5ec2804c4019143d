-- Read while the source runs: an incremental snapshot, asked for by a row of the signal table.
INSERT INTO operations.signals VALUES
  ('again', 'execute-snapshot', '{"data-collections":["operations.parcels"],"type":"incremental"}');
