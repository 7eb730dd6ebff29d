#include "node/picketctl/command_line.hpp"

#include <functional>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "config/render.hpp"
#include "node/picketctl/key_file.hpp"
#include "node/picketctl/line_reader.hpp"
#include "node/picketctl/moment.hpp"
#include "node/picketctl/reference.hpp"
#include "node/picketctl/testing.hpp"
#include "picket_paths.hpp"

namespace picket::ctl {
namespace {

using ::testing::HasSubstr;
using testing::run_ctl;
using ::testing::StartsWith;

TEST(CommandLine, AMistakeIsTwoAndSaysWhereToLook) {
  auto expect_usage = [](const std::vector<std::string>& arguments, const std::string& text) {
    auto got = run_ctl(arguments);
    EXPECT_EQ(got.code, exit_code::usage) << got.err;
    EXPECT_THAT(got.err, StartsWith("picketctl: "));
    EXPECT_THAT(got.err, HasSubstr(text));
    EXPECT_EQ(got.out, "");
  };
  expect_usage({}, "see 'picketctl --help'");
  expect_usage({"agnt", "list"}, "there is no command 'agnt'");
  expect_usage({"agent"}, "see 'picketctl agent --help'");
  expect_usage({"agent", "lst"}, "there is no command 'lst'");
  expect_usage({"agent", "list", "--status", "asleep"}, "--status: asleep not in");
  expect_usage({"agent", "add"}, "NAME is required");
  expect_usage({"agent", "groups", "001", "--set", "a", "--add", "b"}, "excludes");
  expect_usage({"agent", "list", "--timeout", "0"}, "--timeout");
  expect_usage({"logtest", "--path", "both"}, "--path");
  expect_usage({"config", "check", "a", "b"}, "picketctl config check --help");
  expect_usage({"agent", "list", "--url", "http://127.0.0.1"}, "write it like https://");
}

TEST(CommandLine, HelpAndVersionAreNoMistakes) {
  auto help = run_ctl({"--help"});
  EXPECT_EQ(help.code, exit_code::ok);
  EXPECT_THAT(help.out, HasSubstr("Exit codes: 0 done;"));
  EXPECT_THAT(run_ctl({"agent", "list", "--help"}).out, HasSubstr("--match"));
  EXPECT_THAT(run_ctl({"--version"}).out, StartsWith("picketctl "));
}

TEST(CommandLine, GlobalOptionsStandAnywhere) {
  EXPECT_THAT(run_ctl({"config", "show", "--json"}).out, StartsWith("["));
  EXPECT_THAT(run_ctl({"--json", "config", "show"}).out, StartsWith("["));
}

TEST(CommandLine, AnOutputThatCannotBeWrittenIsAnError) {
  std::istringstream in;
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  session with{in, out, err, {}};
  EXPECT_EQ(run({"config", "default"}, with), exit_code::no);
  EXPECT_THAT(err.str(), HasSubstr("the output could not be written"));
}

/// Text of a committed page.
std::string page(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream{std::filesystem::path{PICKET_SOURCE_DIR} / "docs" / name, std::ios::binary}.rdbuf();
  return text.str();
}

TEST(Documentation, PagesMadeFromTheTablesAreAsCommitted) {
  const char* mend = "run scripts/generate-docs and commit what it changes";
  EXPECT_EQ(page("configuration.md"), config::render_manual()) << mend;
  EXPECT_EQ(page("log-events.md"), render_log_events()) << mend;
  EXPECT_EQ(page("metrics.md"), render_metrics()) << mend;
  EXPECT_EQ(page("errors.md"), render_errors()) << mend;
}

TEST(Documentation, TheManualKnowsEveryCommandAndOption) {
  auto manual = page("picketctl.md");
  std::function<void(const command_info&, const std::string&)> visit = [&](const command_info& command,
                                                                           const std::string& path) {
    if (command.commands.empty()) {
      EXPECT_THAT(manual, HasSubstr("`" + path)) << "docs/picketctl.md";
    }
    for (const auto& option : command.options)
      for (const auto& name : option.names) {
        EXPECT_THAT(manual, HasSubstr("`" + name)) << "docs/picketctl.md, option of " << path;
      }
    for (const auto& below : command.commands)
      visit(below, path + " " + below.name);
  };
  visit(all_commands(), "picketctl");
}

TEST(Reference, TablesHoldEveryRowAndEscapeBars) {
  EXPECT_THAT(run_ctl({"reference", "log-events"}).out, HasSubstr("| `node-started` | info | "));
  EXPECT_THAT(
      run_ctl({"reference", "metrics"}).out,
      HasSubstr("| `picket_agents` | gauge | `state`: never_connected, pending, active, disconnected | "));
  EXPECT_THAT(run_ctl({"reference", "errors"}).out, HasSubstr("| 510 | `agent_unknown` | "));
}

TEST(ConfigCommands, CheckShowsEveryMistakeWithItsLine) {
  picket::testing::scratch_directory scratch;
  auto file = scratch.write("picket.yml", "ingest:\n  io_threads: 99\n  lisen: 0.0.0.0:1514\n").string();
  auto got = run_ctl({"config", "check", file});
  EXPECT_EQ(got.code, exit_code::no);
  EXPECT_EQ(got.out, file + ":2:3: ingest.io_threads: out of range: '99'; give 1 to 64 (default 1)\n"
                         + "    2 |   io_threads: 99\n      |   ^\n" + file
                         + ":3:3: unknown setting 'ingest.lisen'; did you mean 'ingest.listen'?\n"
                         + "    3 |   lisen: 0.0.0.0:1514\n      |   ^\n\n" + file + ": 2 mistakes\n");
  EXPECT_THAT(run_ctl({"config", "check", file, "--json"}).out, HasSubstr("\"line\": 2"));
  auto good = scratch.write("good.yml", "engine:\n  shards: 8\n").string();
  EXPECT_EQ(run_ctl({"config", "check", good}).code, exit_code::ok);
  EXPECT_EQ(run_ctl({"config", "check"}, {}, {{"PICKET_CONFIG", good}}).out, good + ": no mistakes\n");
  auto variable = run_ctl({"config", "check", good}, {}, {{"PICKET_ENGINE__SHARD", "8"}});
  EXPECT_EQ(variable.code, exit_code::no);
  EXPECT_THAT(variable.out, HasSubstr("environment:PICKET_ENGINE__SHARD"));
}

TEST(ConfigCommands, AFileThatCannotBeReadIsAnError) {
  picket::testing::scratch_directory scratch;
  auto missing = run_ctl({"config", "check", (scratch.path() / "no.yml").string()});
  EXPECT_EQ(missing.code, exit_code::no);
  EXPECT_THAT(missing.err, HasSubstr("no.yml: cannot read: No such file"));
  EXPECT_EQ(run_ctl({"config", "check", scratch.path().string()}).code, exit_code::no);
  auto large = scratch.write("large.yml", std::string(300'000, '#')).string();
  EXPECT_THAT(run_ctl({"config", "check", large}).out, HasSubstr("larger than"));
  auto binary = scratch.write("binary.yml", std::string("a\0b\x1b[2J", 7)).string();
  auto got = run_ctl({"config", "check", binary});
  EXPECT_EQ(got.code, exit_code::no);
  EXPECT_EQ(got.out.find('\x1b'), std::string::npos);
}

TEST(ConfigCommands, ShowSaysWhereEachValueComesFrom) {
  picket::testing::scratch_directory scratch;
  auto file = scratch.write("picket.yml", "engine:\n  shards: 8\n").string();
  auto got = run_ctl({"config", "show", file}, {}, {{"PICKET_ENGINE__EXECUTORS", "3"}});
  EXPECT_EQ(got.code, exit_code::ok);
  EXPECT_THAT(got.out, ::testing::ContainsRegex("engine.shards +8 +" + file + ":2:3"));
  EXPECT_THAT(got.out, ::testing::ContainsRegex("engine.executors +3 +environment:PICKET_ENGINE__EXECUTORS"));
  auto broken = scratch.write("broken.yml", "engine: 5\n").string();
  auto refused = run_ctl({"config", "show", broken});
  EXPECT_EQ(refused.code, exit_code::usage);
  EXPECT_THAT(refused.err, HasSubstr("engine is a section"));
}

TEST(ConfigCommands, DefaultAndManualAreThoseOfTheTable) {
  EXPECT_EQ(run_ctl({"config", "default"}).out, config::render_default());
  EXPECT_EQ(run_ctl({"config", "manual"}).out, config::render_manual());
}

TEST(PrivateFile, IsForItsOwnerAloneAndReplacedWhole) {
  picket::testing::scratch_directory scratch;
  auto file = scratch.write("client.keys", "old").string();
  ::chmod(file.c_str(), 0644);
  ASSERT_TRUE(write_private_file(file, "new\n"));
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(scratch.read("client.keys"), "new\n");
  EXPECT_EQ(write_private_file((scratch.path() / "no" / "file").string(), "x").error().code, errc::io);
}

TEST(LineReader, BoundsLinesAndTakesLineEndsAway) {
  std::istringstream in{"one\r\n\n" + std::string(50, 'a') + "\nlast"};
  std::string line;
  EXPECT_EQ(read_line(in, line, 10), line_state::line);
  EXPECT_EQ(line, "one");
  EXPECT_EQ(read_line(in, line, 10), line_state::line);
  EXPECT_EQ(line, "");
  EXPECT_EQ(read_line(in, line, 10), line_state::too_long);
  EXPECT_EQ(line.size(), 10u);
  EXPECT_EQ(read_line(in, line, 10), line_state::line) << "the rest of the long line is passed over";
  EXPECT_EQ(line, "last");
  EXPECT_EQ(read_line(in, line, 10), line_state::end);
}

TEST(Moment, IsUtcWithAZ) {
  EXPECT_EQ(parse_moment("2025-06-04T12:00:00Z"), 1'749'038'400'000);
  EXPECT_EQ(parse_moment("2025-06-04 12:00Z"), 1'749'038'400'000);
  EXPECT_TRUE(parse_moment("2025-06-04T12:00"));
  for (const char* wrong :
       {"", "Z", "now", "2025-06-04", "2025-06-04T12:00:00+02:00", "2025-13-04T12:00:00Z"})
    EXPECT_FALSE(parse_moment(wrong)) << wrong;
}

} // namespace
} // namespace picket::ctl
