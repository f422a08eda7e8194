# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of tests/test_results.c as others see it: xarray by h5netcdf and netCDF4, h5py, ncdump.

Usage: check_netcdf.py TEST_RESULTS_PROGRAM
"""

import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import xarray as xr

STATUS = "recovered relapsed_then_recovered relapsed_censored censored never_degraded failed"


def check_dataset(path: str, engine: str) -> None:
    """Dimensions by name, coordinates, units, flags and values."""
    with xr.open_dataset(path, engine=engine) as ds:
        assert ds.time_to_recover.dims == ("arm", "point", "replicate", "level"), ds.time_to_recover.dims
        assert ds.ill.dims == ("arm", "point", "replicate", "hazard", "ill_time"), ds.ill.dims
        assert ds.functionality_fan.dims == ("arm", "population", "time", "quantile")
        assert ds.ill_count_histogram.dims == ("arm", "time", "bin")
        assert list(ds.arm.values) == ["base", "late"], ds.arm.values
        assert list(ds.hazard.values) == ["flu", "rumour"]
        assert list(ds["item"].values) == ["étoile"]
        assert np.allclose(ds.level, [0.3, 0.9]) and np.allclose(ds.time, [0, 10, 20, 30])
        assert ds.time.dtype == float, "days are numbers, not decoded as a span of time"
        assert ds.time_to_recover.attrs["units"] == "day" and ds.cost.attrs["units"] == "EUR"
        assert ds.cost.attrs["long_name"] == "cost of action étoile"
        assert ds.status.attrs["flag_meanings"] == STATUS
        assert list(ds.status.attrs["flag_values"]) == [0, 1, 2, 3, 4, 5]
        assert ds.attrs["title"] == "a test of results" and ds.attrs["Conventions"] == "CF-1.8"
        assert int(ds.attrs["seed"]) == 2**64 - 1 and int(ds.attrs["runs_done"]) == 24
        run = ds.sel(arm="base", level=0.9).isel(point=1, replicate=4)
        assert float(run.time_to_recover) == 14 + 5 / 8, float(run.time_to_recover)
        assert float(ds.final_size.sel(arm="late", hazard="rumour")[0, 2]) == 2
        assert np.isnan(ds.final_size.sel(arm="late", hazard="flu")).all(), "fill values are missing values"
        assert float(ds.design_value.sel(factor="hazards.flu.latent.mean")[1]) == 2.5
        assert str(ds.parameter_value.sel(arm="late", parameter="a.x").values) == "4 days"
        assert str(ds.parameter_source.sel(arm="late", parameter="b.z").values) == "flu1978"
        assert float(ds.parameter_high.sel(arm="base", parameter="a.x")) == 3
        histogram = ds.ill_count_histogram.sel(arm="base").isel(time=0)
        assert int(histogram.sum()) == 11
        values = np.repeat(ds.bin.values**2, histogram.values.astype(int)) * 20000
        expected = np.quantile(values, ds["quantile"].values, method="inverted_cdf")
        assert np.allclose(ds.ill_count_fan.sel(arm="base").isel(time=0), expected)


def check_h5py(path: str) -> None:
    """What the format promises: scales on every dimension, order of creation, compression."""
    with h5py.File(path) as f:
        assert f["time_to_recover"].chunks and f["time_to_recover"].compression == "gzip" and f["time_to_recover"].shuffle
        for name, item in f.items():
            if item.attrs.get("CLASS") != b"DIMENSION_SCALE":
                assert all(len(d) == 1 for d in item.dims), name
        assert f["status"].dtype == np.int8 and f["final_size"].dtype == np.int64
        assert f["time_to_recover"].id.get_create_plist().get_attr_creation_order() & h5py.h5p.CRT_ORDER_TRACKED


def main() -> None:
    """Have the file written, then look at it."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "r.h5")
        environment = dict(os.environ, AIRESIM_NETCDF=path)
        subprocess.run([sys.argv[1], "--filter", "results/for_netcdf"], check=True, env=environment)
        check_h5py(path)
        for engine in ("h5netcdf", "netcdf4"):
            check_dataset(path, engine)
        if shutil.which("ncdump"):
            header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True).stdout
            assert "double time_to_recover(arm, point, replicate, level) ;" in header, header
            assert 'time_to_recover:units = "day"' in header and "string arm(arm) ;" in header, header
    print("ok")


if __name__ == "__main__":
    main()
