-- Every MySQL type, for `tests/tests/types.rs`. The rows are in 02-rows.sql.
SET NAMES utf8mb4;
SET sql_mode = 'NO_ENGINE_SUBSTITUTION';
CREATE DATABASE types CHARACTER SET utf8mb4;
USE types;

CREATE TABLE numbers (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  c_boolean BOOLEAN NULL,
  c_tinyint TINYINT NULL, c_tinyint_u TINYINT UNSIGNED NULL,
  c_smallint SMALLINT NULL, c_smallint_u SMALLINT UNSIGNED NULL,
  c_mediumint MEDIUMINT NULL, c_mediumint_u MEDIUMINT UNSIGNED NULL,
  c_int INT NULL, c_int_u INT UNSIGNED NULL,
  c_bigint BIGINT NULL, c_bigint_u BIGINT UNSIGNED NULL,
  c_dec_1_0 DECIMAL(1,0) NULL, c_dec_10_2 DECIMAL(10,2) NULL, c_dec_18_6 DECIMAL(18,6) NULL,
  c_dec_30_30 DECIMAL(30,30) NULL, c_dec_38_10 DECIMAL(38,10) NULL, c_dec_39_0 DECIMAL(39,0) NULL,
  c_dec_65_0 DECIMAL(65,0) NULL, c_dec_65_30 DECIMAL(65,30) NULL,
  c_float FLOAT NULL, c_double DOUBLE NULL,
  c_bit1 BIT(1) NULL, c_bit8 BIT(8) NULL, c_bit17 BIT(17) NULL, c_bit64 BIT(64) NULL,
  c_year YEAR NULL
);

CREATE TABLE times (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  c_date DATE NULL,
  c_time TIME NULL, c_time3 TIME(3) NULL, c_time6 TIME(6) NULL,
  c_datetime DATETIME NULL, c_datetime1 DATETIME(1) NULL, c_datetime3 DATETIME(3) NULL,
  c_datetime4 DATETIME(4) NULL, c_datetime6 DATETIME(6) NULL,
  c_timestamp TIMESTAMP NULL, c_timestamp3 TIMESTAMP(3) NULL, c_timestamp6 TIMESTAMP(6) NULL
);

-- Dates that are none: what the source makes of them.
CREATE TABLE zero_dates (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  c_date DATE NULL, c_datetime DATETIME(6) NULL, c_timestamp TIMESTAMP(6) NULL,
  n_date DATE NOT NULL, n_datetime DATETIME(6) NOT NULL, n_timestamp TIMESTAMP(6) NOT NULL
);

CREATE TABLE texts (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  c_char CHAR(10) NULL, c_varchar VARCHAR(200) NULL,
  c_tinytext TINYTEXT NULL, c_text TEXT NULL, c_mediumtext MEDIUMTEXT NULL, c_longtext LONGTEXT NULL,
  c_latin1 VARCHAR(40) CHARACTER SET latin1 NULL,
  c_binary BINARY(4) NULL, c_varbinary VARBINARY(16) NULL,
  c_tinyblob TINYBLOB NULL, c_blob BLOB NULL, c_mediumblob MEDIUMBLOB NULL, c_longblob LONGBLOB NULL,
  c_enum ENUM('small', 'with,comma', 'naïve') NULL, c_set SET('a', 'b', 'c d') NULL,
  c_json JSON NULL
);

CREATE TABLE shapes (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  c_geometry GEOMETRY NULL, c_point POINT NULL, c_linestring LINESTRING NULL, c_polygon POLYGON NULL,
  c_multipoint MULTIPOINT NULL, c_multilinestring MULTILINESTRING NULL,
  c_multipolygon MULTIPOLYGON NULL, c_geomcollection GEOMETRYCOLLECTION NULL,
  c_vector VECTOR(3) NULL
);

-- A TIME that is no time of day. In the default mode no row comes of it but an errant record; in the
-- others the source itself sends null.
CREATE TABLE misfits (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  c_time6 TIME(6) NULL
);
