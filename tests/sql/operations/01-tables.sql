-- What `capture-operations` reads by the snapshot.
SET NAMES utf8mb4;
CREATE DATABASE IF NOT EXISTS operations CHARACTER SET utf8mb4;

CREATE TABLE operations.parcels (
  id INT NOT NULL PRIMARY KEY, name VARCHAR(40) NULL, weight INT NULL, note VARCHAR(40) NULL);
INSERT INTO operations.parcels VALUES
  (1, 'one', 10, NULL), (2, 'two', 20, 'fragile'), (3, 'three', NULL, NULL);

-- Where Debezium is told to read tables again.
CREATE TABLE operations.signals (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL);
GRANT INSERT, DELETE ON operations.signals TO 'debezium'@'%';
