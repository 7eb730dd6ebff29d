#include "base/testing/scratch_directory.hpp"
#include "config/load.hpp"
#include "config/render.hpp"
#include "config/schema.hpp"
#include "picket_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace picket::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

loaded load(std::string_view yaml, const environment& env = {}) {
  return load_text(yaml, "picket.yml", env, "/srv");
}

std::vector<std::string> problems_of(std::string_view yaml, const environment& env = {}) {
  std::vector<std::string> texts;
  for (const auto& one : load(yaml, env).problems)
    texts.push_back(to_string(one));
  return texts;
}

// ---- the table ----

TEST(ConfigSchema, EveryRowIsWholeAndItsDefaultAllowed) {
  std::set<std::string_view> keys;
  std::set<std::string> variables;
  std::set<const void*> members;
  settings values;
  for (const auto& row : schema()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key;
    EXPECT_TRUE(variables.insert(environment_name(row.key)).second) << row.key;
    EXPECT_FALSE(row.summary.empty()) << row.key;
    auto member = row.of(values);
    EXPECT_TRUE(members.insert(std::visit([](auto* at) -> const void* { return at; }, member)).second)
        << row.key << " fills a member that another key fills";
    EXPECT_EQ(assign(row, row.default_value, values), std::nullopt) << row.key;
    EXPECT_EQ(value_text(row, values), row.default_value)
        << row.key << ": the default is not in its own form";
    if (!row.example.empty()) {
      EXPECT_EQ(assign(row, row.example, values), std::nullopt) << row.key;
    }
    bool has_section = false;
    for (const auto& part : sections())
      has_section |= row.key.substr(0, row.key.find('.')) == part.name;
    EXPECT_TRUE(has_section) << row.key;
  }
}

TEST(ConfigSchema, NearestKeyIsFoundOrNothing) {
  EXPECT_EQ(nearest_key("ingest.lisen"), "ingest.listen");
  EXPECT_EQ(nearest_key("engine.executers"), "engine.executors");
  EXPECT_EQ(nearest_key("node.data_dir"), "paths.data_dir") << "right word, wrong section";
  EXPECT_EQ(nearest_key("weather.forecast"), std::nullopt);
  EXPECT_EQ(nearest_key(std::string(10'000, 'x')), std::nullopt);
}

TEST(ConfigSchema, ListenAddresses) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:1514"), (listen_address{"127.0.0.1", 1514}));
  EXPECT_EQ(parse_listen_address("[::1]:1514"), (listen_address{"::1", 1514}));
  EXPECT_EQ(parse_listen_address(":0"), (listen_address{"", 0}));
  EXPECT_EQ(to_text(listen_address{"::1", 5}), "[::1]:5");
  for (auto* wrong :
       {"", "1514", "host", "host:", "host:70000", "::1:1514", "[host]:1", "a b:1", "host:1x", "host:-1"})
    EXPECT_EQ(parse_listen_address(wrong), std::nullopt) << wrong;
}

TEST(ConfigSchema, AddressRanges) {
  auto written = [](std::string_view text) {
    auto range = parse_address_range(text);
    return range ? to_text(*range) : "none";
  };
  for (auto* same :
       {"192.0.2.10", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.128/25", "2001:db8::1", "2001:db8::/32", "::/0"})
    EXPECT_EQ(written(same), same);
  EXPECT_EQ(written("192.0.2.10/32"), "192.0.2.10");
  EXPECT_EQ(written("::ffff:192.0.2.10"), "192.0.2.10") << "as a connection from there is shown";
  EXPECT_EQ(written("::ffff:10.0.0.0/104"), "10.0.0.0/8");
  for (auto* wrong :
       {"", "host", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.1/8",
        "192.0.2.129/25", "2001:db8::1/32", "2001:db8::/129", "[::1]", "10.0.0", "10.0.0.0/255.0.0.0"})
    EXPECT_EQ(written(wrong), "none") << wrong;
}

// ---- loading ----

TEST(ConfigLoad, DefaultsHangOnTheDirectoryOfTheFile) {
  auto all = load("");
  ASSERT_TRUE(all.good());
  EXPECT_EQ(all.values.paths.data_dir, "/srv/data");
  EXPECT_EQ(all.values.paths.journal_dir, "/srv/data/logs");
  EXPECT_EQ(all.values.enrollment.tls.key, "/srv/data/tls/enrollment.key");
  EXPECT_EQ(all.values.log.file, "") << "empty stays empty";
  EXPECT_EQ(all.values.ingest.listen, (listen_address{"0.0.0.0", 1514}));
  EXPECT_EQ(all.values.engine.shards, 64);
  EXPECT_TRUE(all.values.enrollment.force.enabled);
  EXPECT_FALSE(all.values.journal.strict_sync());
}

TEST(ConfigLoad, TheFileWinsOverDefaultsAndTheEnvironmentOverTheFile) {
  auto all = load("paths:\n  data_dir: /var/lib/picket\nengine:\n  shards: 16\n  executors: 2\n"
                  "enrollment:\n  force:\n    enabled: no\njournal: {sync: strict}\n",
                  {{"PICKET_ENGINE__SHARDS", "8"}, {"PICKET_HOME", "ignored"}});
  ASSERT_TRUE(all.good()) << to_string(all.problems[0]);
  EXPECT_EQ(all.values.engine.shards, 8);
  EXPECT_EQ(all.values.engine.executors, 2);
  EXPECT_EQ(all.values.paths.runtime_dir, "/var/lib/picket/run");
  EXPECT_FALSE(all.values.enrollment.force.enabled);
  EXPECT_TRUE(all.values.journal.strict_sync());
  auto from = [&](std::string_view key) {
    for (const auto& one : all.origins)
      if (one.key == key) return one.value + " from " + one.from;
    return std::string{};
  };
  EXPECT_EQ(from("engine.shards"), "8 from environment:PICKET_ENGINE__SHARDS");
  EXPECT_EQ(from("engine.executors"), "2 from picket.yml:5:3");
  EXPECT_EQ(from("pool.segments"), "2048 from default");
}

TEST(ConfigLoad, EveryMistakeHasItsPlaceAndItsMend) {
  EXPECT_THAT(problems_of("ingest:\n  io_threads: 99\n  lisen: 0.0.0.0:1514\n"),
              ElementsAre("picket.yml:2:3: ingest.io_threads: out of range: '99'; give 1 to 64 (default 1)",
                          "picket.yml:3:3: unknown setting 'ingest.lisen'; did you mean 'ingest.listen'?"));
  EXPECT_THAT(
      problems_of("engine: {shards: many}"),
      ElementsAre("picket.yml:1:10: engine.shards: not a whole number: 'many'; give 1 to 4096 (default 64)"));
  EXPECT_THAT(
      problems_of("enrollment:\n  enabled: maybe\n"),
      ElementsAre(
          "picket.yml:2:3: enrollment.enabled: neither yes nor no: 'maybe'; give yes or no (default yes)"));
  EXPECT_THAT(
      problems_of("log:\n  level: loud\n"),
      ElementsAre(
          "picket.yml:2:3: log.level: not one of the choices: 'loud'; give debug, info, warn or error "
          "(default info)"));
  EXPECT_THAT(problems_of("", {{"PICKET_ENGINE__SHARD", "8"}}),
              ElementsAre("environment:PICKET_ENGINE__SHARD: unknown setting 'engine.shard'; did you mean "
                          "'engine.shards'?"));
  EXPECT_THAT(
      problems_of("", {{"PICKET_ENGINE__SHARDS", "0"}}),
      ElementsAre("environment:PICKET_ENGINE__SHARDS: engine.shards: out of range: '0'; give 1 to 4096 "
                  "(default 64)"));
  EXPECT_THAT(problems_of("ingest:\n  max_connections_per_address: 0\n"), ElementsAre())
      << "0 is named as allowed";
}

TEST(ConfigLoad, TheShapeOfTheFileIsChecked) {
  EXPECT_THAT(problems_of("just words"), ElementsAre(HasSubstr("picket.yml:1:1: expected 'section:'")));
  EXPECT_THAT(problems_of("- a\n- b\n"), ElementsAre(HasSubstr("a list is not expected")));
  EXPECT_THAT(problems_of("engine:\n  shards: [1, 2]\n"),
              ElementsAre(HasSubstr("picket.yml:2:3: engine.shards: one value")));
  EXPECT_THAT(problems_of("engine:\n  shards:\n    a: {b: 1}\n"),
              ElementsAre(HasSubstr("one value is expected")));
  EXPECT_THAT(problems_of("engine:\n  shards:\n"), ElementsAre(HasSubstr("one value is expected")));
  EXPECT_THAT(problems_of("engine: 5\n"), ElementsAre(HasSubstr("engine is a section")));
  EXPECT_THAT(problems_of("weather:\n  rain: {much: yes}\n"),
              ElementsAre(HasSubstr("unknown setting 'weather'")));
  EXPECT_THAT(problems_of("engine:\n  shards: 1\n  shards: 2\n"),
              ElementsAre(HasSubstr("picket.yml:3:3: 'engine.shards' stands twice")));
  EXPECT_THAT(problems_of("engine:\n  shards: &a 1\n  executors: *a\n"),
              ElementsAre(HasSubstr("anchors"), HasSubstr("aliases"), HasSubstr("engine.executors")));
  EXPECT_THAT(problems_of("engine:\n  shards: \"1\n"), ElementsAre(HasSubstr("picket.yml:")));
  EXPECT_THAT(problems_of("engine:\n\tshards: 1\n"), ElementsAre(HasSubstr("not with tabs")));
  EXPECT_THAT(problems_of(std::string{"a\0b", 3}), ElementsAre(HasSubstr("NUL")));
  EXPECT_THAT(problems_of(std::string(max_file_bytes + 1, '#')), ElementsAre(HasSubstr("larger than")));
  std::string endless;
  for (int i = 0; i < 5'000; ++i)
    endless += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(problems_of(endless).size(), 50u) << "nobody reads more";
  EXPECT_FALSE(problems_of(std::string(3'000, '[')).empty()) << "deep nesting is an error, not a crash";
  EXPECT_THAT(problems_of("engine:\nnode:\n"), ElementsAre()) << "sections may be empty";
}

TEST(ConfigLoad, ListsOfAddressesAreTakenInEitherForm) {
  auto of = [](const std::string& yaml) {
    auto all = load(yaml);
    EXPECT_TRUE(all.good()) << to_string(all.problems[0]);
    return value_text(*find_setting("ingest.proxy_protocol_from"), all.values);
  };
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("ingest:\n  proxy_protocol_from: 192.0.2.10\n"), "192.0.2.10");
  EXPECT_EQ(of("ingest:\n  proxy_protocol_from: 192.0.2.10, 10.0.0.0/8\n"), "192.0.2.10, 10.0.0.0/8");
  EXPECT_EQ(of("ingest:\n  proxy_protocol_from: [192.0.2.10, 10.0.0.0/8]\n"), "192.0.2.10, 10.0.0.0/8");
  EXPECT_EQ(of("ingest:\n  proxy_protocol_from:\n    - 192.0.2.10\n    - 2001:db8::/32\n  io_threads: 2\n"),
            "192.0.2.10, 2001:db8::/32");
  EXPECT_EQ(of("ingest:\n  proxy_protocol_from: []\n"), "");
  EXPECT_THAT(
      problems_of("ingest:\n  proxy_protocol_from: 10.0.0.1/8\n"),
      ElementsAre(
          "picket.yml:2:3: ingest.proxy_protocol_from: not a list of addresses: '10.0.0.1/8'; give at "
          "most 64 addresses or ranges (10.0.0.0/8, 2001:db8::/32), a comma between"));
  for (auto* deep : {"[[192.0.2.10]]", "[192.0.2.10, {a: b}]", "{a: b}", ""})
    EXPECT_THAT(problems_of("ingest:\n  proxy_protocol_from: " + std::string{deep} + "\n"),
                ElementsAre(HasSubstr("ingest.proxy_protocol_from: one value is expected")))
        << deep;
  std::string many = "ingest:\n  proxy_protocol_from: [";
  for (std::size_t i = 0; i <= max_address_ranges; ++i)
    many += (i == 0 ? "10.0.0." : ", 10.0.0.") + std::to_string(i);
  EXPECT_THAT(problems_of(many + "]\n"), ElementsAre(HasSubstr("too many")));
}

TEST(ConfigLoad, SettingsThatMustFitTogetherAreCompared) {
  EXPECT_THAT(problems_of("pool:\n  segments: 64\n"),
              ElementsAre("picket.yml: pool.shard_quota_segments: must not be above pool.segments"));
  EXPECT_THAT(problems_of("pool:\n  segment_bytes: 5000\n"),
              ::testing::Contains(HasSubstr("multiple of 4096")));
  EXPECT_THAT(problems_of("enrollment:\n  tls:\n    verify_host: yes\n"),
              ElementsAre("picket.yml:3:5: enrollment.tls.verify_host: needs enrollment.tls.agent_ca"));
  EXPECT_THAT(problems_of("enrollment:\n  use_password: yes\n  password_file: ''\n"),
              ElementsAre(HasSubstr("is needed")));
}

TEST(ConfigLoad, FilesAreReadFromTheirPlace) {
  ::picket::testing::scratch_directory scratch;
  auto file = scratch.write("etc/picket.yml", "engine:\n  shards: 4\n");
  auto all = load_file(file, {});
  ASSERT_TRUE(all) << to_string(all.error());
  EXPECT_EQ(all->values.engine.shards, 4);
  EXPECT_EQ(all->values.paths.data_dir, scratch.path() / "etc" / "data");
  EXPECT_EQ(load_file(scratch.path() / "none.yml", {}).error().code, errc::not_found);
  auto bad = load_file(scratch.write("bad.yml", "x: 1\ny: 2\n"), {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, errc::bad_configuration);
  EXPECT_THAT(bad.error().what, HasSubstr("bad.yml:1:1: unknown setting 'x'\n"));
  EXPECT_TRUE(load_file({}, {}));
}

// ---- generated files ----

/// The file in the tree is what the table gives. With PICKET_WRITE_GENERATED=1 it is written instead.
void expect_generated(const std::string& name, const std::string& text) {
  auto path = std::filesystem::path{PICKET_SOURCE_DIR} / name;
  if (std::getenv("PICKET_WRITE_GENERATED") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << text;
  }
  std::ostringstream stored;
  stored << std::ifstream{path, std::ios::binary}.rdbuf();
  EXPECT_TRUE(stored.str() == text) << name
                                    << " is not what the table of settings gives; run config_test once with "
                                    << "PICKET_WRITE_GENERATED=1 in the environment";
}

TEST(ConfigRender, TheDefaultFileIsMadeFromTheTable) {
  expect_generated("config/picket.yml", render_default());
}
TEST(ConfigRender, TheManualIsMadeFromTheTable) {
  expect_generated("docs/configuration.md", render_manual());
}

TEST(ConfigRender, TheDefaultFileLoadsWithAndWithoutItsComments) {
  auto text = render_default();
  EXPECT_THAT(problems_of(text), ElementsAre());
  std::string bare;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    auto mark = line.find("# ");
    auto key = line.substr(mark == std::string::npos ? 0 : mark + 2);
    bool is_setting = mark != std::string::npos && mark > 0
                      && key.find(": ") == key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789");
    bare += (is_setting ? line.substr(0, mark) + key : line) + "\n";
  }
  auto plain = load("");
  auto written = load(bare);
  ASSERT_THAT(problems_of(bare), ElementsAre());
  for (std::size_t i = 0; i < plain.origins.size(); ++i) {
    EXPECT_EQ(written.origins[i].value, plain.origins[i].value) << plain.origins[i].key;
    EXPECT_THAT(written.origins[i].from, HasSubstr("picket.yml:")) << plain.origins[i].key;
  }
}

} // namespace
} // namespace picket::config
