//! Arguments of what is done to a shop's database and then over: admins, and rows to look at.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ShopArgs;

/// `shop`, to serve, or to do one of the tasks.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ShopCommand {
    /// What to do instead of serving
    #[command(subcommand)]
    pub task: Option<Task>,
    /// How to serve
    #[command(flatten)]
    pub serve: ShopArgs,
}

/// What is done to a database and then over.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Manage who administers the shop
    Admin(AdminArgs),
    /// Fill the shop with products, customers and orders; a second run adds what is missing
    Seed(Box<SeedArgs>),
}

/// Arguments of `shop admin`.
#[derive(Debug, Clone, Args)]
pub struct AdminArgs {
    /// What to do
    #[command(subcommand)]
    pub action: AdminAction,
}

/// What is done about admins.
#[derive(Debug, Clone, Subcommand)]
pub enum AdminAction {
    /// Make an account that may administer the shop; there is none until then
    Create(Box<CreateAdminArgs>),
}

/// Arguments of `shop admin create`.
#[derive(Debug, Clone, Args)]
pub struct CreateAdminArgs {
    /// Name of the account
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// File whose first line is the password; without it, the first line on stdin is
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Give an account that is there already this password, and the role
    #[arg(long)]
    pub reset: bool,
    /// Which shop
    #[command(flatten)]
    pub shop: ShopArgs,
}

/// Arguments of `shop seed`.
#[derive(Debug, Clone, Args)]
pub struct SeedArgs {
    /// Products there are to be at least
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub products: u32,
    /// Customers with an account there are to be at least; nobody knows their passwords
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub users: u32,
    /// Paid orders there are to be at least
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub orders: u32,
    /// Which shop
    #[command(flatten)]
    pub shop: ShopArgs,
}
