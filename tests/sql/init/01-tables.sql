-- The source database, for MySQL 8.0, 8.4 and 9.x alike.
-- Compose mounts this folder as /docker-entrypoint-initdb.d; the process stack runs the same files in order.

CREATE DATABASE IF NOT EXISTS inventory CHARACTER SET utf8mb4;

-- created_at has no zone and updated_at has one on purpose: Debezium sends them in different shapes.
CREATE TABLE IF NOT EXISTS inventory.orders (
  id          BIGINT        NOT NULL AUTO_INCREMENT,
  customer_id INT           NOT NULL,
  product     VARCHAR(255)  NOT NULL,
  quantity    INT           NOT NULL DEFAULT 1,
  price       DECIMAL(10,2) NOT NULL,
  status      ENUM('new', 'paid', 'shipped', 'delivered', 'cancelled') NOT NULL DEFAULT 'new',
  note        VARCHAR(1000) NULL,
  created_at  DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at  TIMESTAMP(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS inventory.transactions (
  id          BIGINT        NOT NULL AUTO_INCREMENT,
  name        VARCHAR(255)  NOT NULL,
  amount      DECIMAL(18,2) NOT NULL,
  `timestamp` TIMESTAMP(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id)
);
