"""The command line."""

import argparse
import os
import pathlib

import machine


def at_least(least, kind=int):
    def read(text):
        value = kind(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return value
    return read


def numbers(text):
    return [at_least(1)(word) for word in text.split(",")]


def common(parser, data=True):
    parser.add_argument("--runs", type=at_least(1), default=5, help="runs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the drawn lines (default: %(default)s)")
    parser.add_argument("--out", help="file of the results (default: build/bench/…json)")
    parser.add_argument("--bin", type=pathlib.Path, default=machine.root / "build/release/bin", help="where the programs are")
    if not data:
        return
    parser.add_argument("--ruleset", default="auto",
                        help="'own', 'stock' or a directory (default: stock where the reference data is, else our own)")
    parser.add_argument("--data", default=os.environ.get("PICKET_REFERENCE_DATA", machine.root.parent / "shared/data"),
                        help="reference data (default: PICKET_REFERENCE_DATA, else ../shared/data)")


def mixed(parser, lines):
    parser.add_argument("--lines", type=at_least(1), default=lines, help="lines in all (default: %(default)s)")
    parser.add_argument("--agents", type=at_least(1), default=20, help="agents that send them (default: %(default)s)")
    parser.add_argument("--alerting", type=float, default=0.10, help="part of the lines that alerts (default: %(default)s)")
    parser.add_argument("--mean-bytes", type=int, default=300, help="mean length of a line (default: %(default)s)")
    parser.add_argument("--mix-lines", type=at_least(10), default=20_000,
                        help="lines that are drawn; agents send them over and over (default: %(default)s)")


def probing(parser, seconds):
    parser.add_argument("--seconds", type=at_least(1, float), default=seconds, help="of each measurement (default: %(default)s)")
    parser.add_argument("--probes", type=at_least(1), default=10, help="agents that are timed (default: %(default)s)")
    parser.add_argument("--probe-rate", type=at_least(1), default=100, help="timed lines a second (default: %(default)s)")


def key_and_value(text):
    key, found, value = text.partition("=")
    if not found or not key:
        raise argparse.ArgumentTypeError(f"KEY=VALUE, not '{text}'")
    return key, value


def setting(parser):
    parser.add_argument("--set", action="append", default=[], type=key_and_value, metavar="KEY=VALUE",
                        help="a setting of the node, as ingest.durable=yes; may be given often")


def describe(arguments):
    commands = arguments.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("node", help="events a second, processor time of an event")
    common(one)
    mixed(one, 400_000)
    setting(one)

    one = commands.add_parser("latency", help="from an agent's send to the alert's line")
    common(one)
    mixed(one, 400_000)
    probing(one, 15)
    setting(one)
    one.add_argument("--rate", type=float, default=0,
                     help="events a second under load (default: half of the throughput, which is measured first)")

    one = commands.add_parser("memory", help="bytes of a connected agent")
    common(one)
    one.add_argument("--connected", type=numbers, default=[1_000, 10_000], help="numbers of agents (default: 1000,10000)")
    one.add_argument("--keepalive", type=at_least(1), default=10, help="seconds between keep-alives (default: %(default)s)")

    one = commands.add_parser("engine", help="the analysis alone, by stages")
    common(one)
    mixed(one, 400_000)

    one = commands.add_parser("parts", help="single parts, by Google Benchmark")
    common(one, data=False)
    one.add_argument("--filter", default=".", help="regular expression on their names")
    one.add_argument("--min-time", type=float, default=0.3, help="seconds for each part (default: %(default)s)")

    one = commands.add_parser("hostile", help="good agents' lines while others attack the node")
    common(one)
    probing(one, 4)
    one.add_argument("--attack", action="append", help="only this attack; may be given often (picket-hostile --list)")

    one = commands.add_parser("compare", help="two files of results")
    one.add_argument("old")
    one.add_argument("new")

    one = commands.add_parser("check", help="whether the bench works")
    common(one)
