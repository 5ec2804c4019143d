-- A change, a change of the primary key, the end of all rows, and one after it.
SET NAMES utf8mb4;
UPDATE operations.parcels SET weight = 21 WHERE id = 2;
UPDATE operations.parcels SET id = 30 WHERE id = 3;
TRUNCATE TABLE operations.parcels;
INSERT INTO operations.parcels VALUES (4, 'four', 40, NULL);
