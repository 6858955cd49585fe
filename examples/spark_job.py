"""A Spark job that re-encrypts a table in Parquet and counts the key versions in the result.

Each worker reads the keyring file and the passphrase itself, so that the job contains no key.
"""

import os
from pathlib import Path

from pyspark.sql import SparkSession

from kmscore import Keyring, keyfile
from kmscore.bulk.spark import census_dataframe, collect_census, reencrypt_dataframe


def open_keys() -> Keyring:
    """Return the keys; Spark calls this once in each worker."""
    passphrase = Path(os.environ["KEYRING_PASSPHRASE_FILE"]).read_bytes().rstrip(b"\r\n")
    return keyfile.open_keyring(Path("orders.keyring").read_bytes(), passphrase)


spark = SparkSession.builder.appName("rotate-orders").getOrCreate()
moved = reencrypt_dataframe(
    spark.read.parquet("orders"),
    open_keys,
    "orders",
    blob_column="blob",
    source_context_column="context",
)
moved.write.parquet("orders-moved")

written = spark.read.parquet("orders-moved")
written.groupBy("status", "error").count().show()
counted = census_dataframe(written, blob_column="blob")
counted.show()
census = collect_census(counted)
