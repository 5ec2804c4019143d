-- What Debezium needs and nothing more. The user and its password are made before this runs, from the
-- environment (by the image's entry point, or by the process stack in its place): no secret stands here.
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES
  ON *.* TO 'debezium'@'%';
