"""The load harness: `mxgw load` sends, takes in and compares, so that every claim can be measured."""
