-- A workspace as revision 0001 wrote it; never to be changed.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE controls (
	control_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value FLOAT NOT NULL, 
	author TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	applied_at_iteration INTEGER, 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "controls" VALUES(1,1,'lambda_',0.7,'ann','2026-01-01T00:00:00.000+00:00',NULL);
CREATE TABLE images (
	image_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	path TEXT NOT NULL, 
	content_hash TEXT NOT NULL, 
	n_bytes BIGINT NOT NULL, 
	pid INTEGER, 
	camid INTEGER, 
	split TEXT NOT NULL, 
	tracklet TEXT, 
	frame BIGINT, 
	UNIQUE (path)
);
INSERT INTO "images" VALUES(1,'images/0002_c1s1_000451_03.jpg','aa',100,2,1,'train',NULL,451);
INSERT INTO "images" VALUES(2,'/elsewhere/b.jpg','bb',100,NULL,NULL,'query','t1',NULL);
CREATE TABLE iterations (
	run_id INTEGER NOT NULL, 
	iteration INTEGER NOT NULL, 
	record JSON NOT NULL, 
	PRIMARY KEY (run_id, iteration), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "iterations" VALUES(1,0,'{"iteration": 0, "lambda_": 0.8, "n_clusters": 3, "n_images": 12, "n_reliable": 9, "n_kept_clusters": 3, "inertia": 1.5, "n_annotated_images": 0, "n_identities": 0, "annotations_hash": "", "epoch_losses": [], "metrics": null, "cluster_quality": null, "seconds": {"extract": 0.5}, "peak_memory_bytes": 1024, "seed": 7, "versions": {"torch": "2"}, "device": "cpu", "finished_at": "2026-01-01T00:00:00+00:00"}');
CREATE TABLE jobs (
	job_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind TEXT NOT NULL, 
	run_id INTEGER, 
	params JSON NOT NULL, 
	status TEXT NOT NULL, 
	progress JSON, 
	command TEXT, 
	error TEXT NOT NULL, 
	traceback TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	heartbeat_at TEXT NOT NULL, 
	finished_at TEXT NOT NULL, 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "jobs" VALUES(1,'run',1,'{}','stopped','{"step": "finetune", "done": 3, "total": 9}',NULL,'','','host:1:2','2026-01-01T00:00:00.000+00:00','2026-01-01T00:00:00.000+00:00','2026-01-01T00:00:00.000+00:00','2026-01-01T00:00:00.000+00:00');
CREATE TABLE metrics (
	run_id INTEGER NOT NULL, 
	iteration INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	rank_1 FLOAT, 
	rank_5 FLOAT, 
	rank_10 FLOAT, 
	rank_20 FLOAT, 
	mean_ap FLOAT, 
	n_queries INTEGER NOT NULL, 
	n_unmatched INTEGER NOT NULL, 
	ap_method TEXT NOT NULL, 
	unmatched TEXT NOT NULL, 
	PRIMARY KEY (run_id, iteration, source), 
	FOREIGN KEY(run_id, iteration) REFERENCES iterations (run_id, iteration)
);
INSERT INTO "metrics" VALUES(1,0,'test',0.5,0.75,0.8,0.9,0.25,12,1,'trapezoid','zero');
CREATE TABLE runs (
	run_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	config JSON NOT NULL, 
	model TEXT NOT NULL, 
	model_hash TEXT NOT NULL, 
	last_image_id INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	created_at TEXT NOT NULL
);
INSERT INTO "runs" VALUES(1,'first','{"n_clusters": 3, "lambda_": 0.8}','start.safetensors','cc',2,'stopped','2026-01-01T00:00:00.000+00:00');
CREATE TABLE settings (
	name TEXT NOT NULL, 
	value JSON NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "settings" VALUES('workspace_name','"shop"');
CREATE TABLE skipped_files (
	path TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (path)
);
INSERT INTO "skipped_files" VALUES('/elsewhere/c.jpg','truncated');
CREATE INDEX ix_images_split ON images (split);
CREATE INDEX ix_controls_run_id ON controls (run_id);
CREATE INDEX ix_jobs_run_id ON jobs (run_id);
CREATE INDEX ix_jobs_status ON jobs (status);
CREATE UNIQUE INDEX one_active_job_per_run ON jobs (run_id) WHERE status IN ('queued', 'running', 'paused');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('images',2);
INSERT INTO "sqlite_sequence" VALUES('runs',1);
INSERT INTO "sqlite_sequence" VALUES('controls',1);
INSERT INTO "sqlite_sequence" VALUES('jobs',1);
COMMIT;
