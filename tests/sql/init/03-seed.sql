-- A few rows that are there before Debezium starts, so that its snapshot has something to read.
-- Fixed ids and times: running this twice changes nothing.
SET NAMES utf8mb4;

INSERT IGNORE INTO inventory.orders
  (id, customer_id, product, quantity, price, status, note, created_at, updated_at) VALUES
  (1, 1001, 'Kettle',           1,   39.90, 'delivered', NULL,             '2026-03-01 08:15:00.000001', '2026-03-03 09:00:00'),
  (2, 1002, 'Field notebook',  12,    4.25, 'shipped',   'gift, no bill',  '2026-03-01 09:59:59.999999', '2026-03-02 10:30:00'),
  (3, 1003, 'Crème brûlée 🍮',  2,    7.50, 'paid',      'door "B", ring', '2026-03-01 10:00:00.000000', '2026-03-01 10:00:05'),
  (4, 1001, 'River map',        1, 1250.00, 'new',       NULL,             '2026-03-01 23:59:59.500000', '2026-03-01 23:59:59.5');

INSERT IGNORE INTO inventory.transactions (id, name, amount, `timestamp`) VALUES
  (1, 'Ada Lovelace', 1200.00, '2026-03-01 08:00:00.000001'),
  (2, 'Grace Hopper',  -75.25, '2026-03-01 08:30:00.123456'),
  (3, 'José Núñez',      0.01, '2026-03-01 23:59:59.999999');
