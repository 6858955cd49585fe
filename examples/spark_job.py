"""A Spark job that re-encrypts a table in Parquet and counts the key versions in the result.

    spark-submit --files orders.keyring spark_job.py SOURCE DESTINATION

Spark copies the keyring file to the executors, and each worker process decrypts it once, so that
the job contains no key. `KEYRING_PASSPHRASE_FILE` is the path of the passphrase on the executors.
"""

import os
import sys
from pathlib import Path

from pyspark import SparkFiles
from pyspark.sql import SparkSession

from kmscore import Keyring, keyfile
from kmscore.bulk.spark import (
    cached_key_factory,
    census_dataframe,
    collect_census,
    reencrypt_dataframe,
)


def open_keys() -> Keyring:
    """Return the keys; with `cached_key_factory`, each worker process calls this once."""
    passphrase = Path(os.environ["KEYRING_PASSPHRASE_FILE"]).read_bytes().rstrip(b"\r\n")
    sealed = Path(SparkFiles.get("orders.keyring")).read_bytes()
    return keyfile.open_keyring(sealed, passphrase)


if len(sys.argv) != 3:
    print("usage: spark_job.py SOURCE DESTINATION", file=sys.stderr)
    sys.exit(2)
source, destination = sys.argv[1:]
spark = SparkSession.builder.appName("rotate-orders").getOrCreate()
moved = reencrypt_dataframe(
    spark.read.parquet(source),
    cached_key_factory(open_keys),
    "orders",
    blob_column="blob",
    source_context_column="context",
)
moved.write.parquet(destination)

written = spark.read.parquet(destination)
written.groupBy("status", "error").count().show()
counted = census_dataframe(written, blob_column="blob")
counted.show()
census = collect_census(counted)
