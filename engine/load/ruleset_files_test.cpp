#include "engine/load/ruleset_files.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace picket::engine {
namespace {

namespace fs = std::filesystem;

struct RulesetFiles : ::testing::Test {
  RulesetFiles() {
    auto name = std::string("ruleset-") + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    root = fs::temp_directory_path() / (name + "-" + std::to_string(::getpid()));
    fs::remove_all(root);
  }
  ~RulesetFiles() override { fs::remove_all(root); }

  void write(const std::string& path, const std::string& bytes = "x") {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << bytes;
  }

  fs::path root;
};

TEST_F(RulesetFiles, ComeInLoadOrder) {
  write("rules/b.xml", "b");
  write("rules/Z.XML", "Z");
  write("rules/a.txt");
  write("rules/below/c.xml");
  write("decoders/0005.xml");
  write("lists/one", "k:v\n");
  write("lists/one.cdb");
  write("lists/amazon/two");
  auto files = read_ruleset_directory(root);
  ASSERT_TRUE(files) << to_string(files.error());
  std::string names;
  for (const auto& each : *files)
    names += each.name + " ";
  EXPECT_EQ(names, "decoders/0005.xml etc/lists/amazon/two etc/lists/one rules/Z.XML rules/b.xml ");
  EXPECT_EQ(files->back().bytes, "b");
  EXPECT_EQ(files->back().kind, file_kind::rule);
}

TEST_F(RulesetFiles, SayWhatIsMissing) {
  auto none = read_ruleset_directory(root);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
  write("decoders/a.xml");
  auto no_rules = read_ruleset_directory(root);
  ASSERT_FALSE(no_rules);
  EXPECT_NE(no_rules.error().where.find("rules"), std::string::npos);
  write("rules/a.xml");
  EXPECT_TRUE(read_ruleset_directory(root)) << "lists/ may be missing";
}

TEST_F(RulesetFiles, AreLimited) {
  write("decoders/a.xml", "1234");
  write("rules/a.xml", "1234");
  EXPECT_EQ(read_ruleset_directory(root, {1, 100}).error().code, errc::limit_reached);
  EXPECT_EQ(read_ruleset_directory(root, {10, 7}).error().code, errc::limit_reached);
  EXPECT_TRUE(read_ruleset_directory(root, {2, 8}));
}

} // namespace
} // namespace picket::engine
