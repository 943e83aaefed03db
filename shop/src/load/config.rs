//! What a load generator is to do: the flags, checked.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use super::{
    args::LoadArgs,
    arrivals::Spacing,
    kind::{Kinds, Mix},
    progress::Progress,
    schedule::{Demand, Schedule, USUAL_RATE, Wish},
    think::ThinkTime,
    visit::{Countries, Plan},
};
use crate::{error::ShopError, http::url::BaseUrl};

/// How customers of a closed loop think unless it is said otherwise.
const USUAL_THINK: ThinkTime =
    ThinkTime::Between(Duration::from_millis(500), Duration::from_secs(3));

/// The token of the admin that a shop with `--demo` has; no other shop knows it.
const DEMO_ADMIN_TOKEN: &str = "admin-token-456";

/// What a load generator is to do.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// The storefront.
    pub target: BaseUrl,
    /// How much traffic there is, and until when.
    pub schedule: Schedule,
    /// Who comes and what for.
    pub plan: Plan,
    /// Pauses of the customers.
    pub think: ThinkTime,
    /// How arrivals of an open loop are spaced.
    pub spacing: Spacing,
    /// Journeys under way at once.
    pub max_in_flight: usize,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Share of visits whose traces are marked as sampled.
    pub trace_share: f64,
    /// Bearer token of the admins among the customers.
    pub admin_token: Option<String>,
    /// Where progress is told.
    pub progress: Progress,
    /// Address of `/metrics`, `/livez` and `/readyz`.
    pub metrics_listen: SocketAddr,
    /// Address of the fault control API.
    pub control_listen: SocketAddr,
    /// Longest time a stop waits for journeys under way.
    pub drain_limit: Duration,
}

impl LoadConfig {
    /// Returns the defaults of the command line for `target`, on free loopback ports.
    pub fn for_target(target: BaseUrl) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            target,
            schedule: Schedule::steady(Demand::Rate, USUAL_RATE),
            plan: Plan {
                seed: 1,
                mix: Mix::default(),
                countries: Countries::default(),
                products: 24,
            },
            think: ThinkTime::NONE,
            spacing: Spacing::Poisson,
            max_in_flight: 1_000,
            timeout: Duration::from_secs(10),
            trace_share: 1.0,
            admin_token: None,
            progress: Progress::Silent,
            metrics_listen: free,
            control_listen: free,
            drain_limit: Duration::from_secs(5),
        }
    }
}

impl TryFrom<&LoadArgs> for LoadConfig {
    type Error = ShopError;

    fn try_from(args: &LoadArgs) -> Result<Self, ShopError> {
        let schedule = schedule(args).map_err(ShopError::Load)?;
        let (crowd, places) = (schedule.highest(), args.max_in_flight);
        if schedule.demand() == Demand::Users && crowd > f64::from(places) {
            let problem = format!(
                "there are to be {crowd} users, and --max-in-flight has places for {places}: raise it"
            );
            return Err(ShopError::Load(problem));
        }
        let comes_when_it_likes = schedule.demand() == Demand::Users && schedule.pace().is_none();
        let usual_think = if comes_when_it_likes {
            USUAL_THINK
        } else {
            ThinkTime::NONE
        };
        let think = args.think_time.unwrap_or(usual_think);
        let admin_token = match &args.admin_token_file {
            Some(file) => Some(token(file)?),
            None => args.demo.then(|| DEMO_ADMIN_TOKEN.to_owned()),
        };
        let usual = || match admin_token {
            Some(_) => Kinds::default().with_admins(),
            None => Kinds::default(),
        };
        let mix = args.journey;
        Ok(Self {
            target: BaseUrl::parse(&args.target)?,
            schedule,
            plan: Plan {
                seed: args.seed,
                mix: mix.unwrap_or_else(|| args.mix.unwrap_or_else(usual).into()),
                countries: args.countries,
                products: args.products,
            },
            think,
            spacing: if args.even {
                Spacing::Even
            } else {
                Spacing::Poisson
            },
            max_in_flight: args.max_in_flight as usize,
            timeout: args.timeout,
            trace_share: args.trace_share,
            admin_token,
            progress: Progress::detect(args.process.child),
            metrics_listen: args.metrics_listen,
            control_listen: args.control_listen,
            drain_limit: args.process.drain_limit,
        })
    }
}

fn schedule(args: &LoadArgs) -> Result<Schedule, String> {
    Schedule::new(&Wish {
        rate: args.rate,
        users: args.users,
        stages: args.stages.clone(),
        ramp_up: args.ramp_up,
        ramp_down: args.ramp_down,
        duration: args.duration,
    })
}

fn token(file: &Path) -> Result<String, ShopError> {
    let text = fs::read_to_string(file).map_err(|source| ShopError::File {
        doing: "read the admin's token in",
        path: file.to_owned(),
        source,
    })?;
    let token = text.trim();
    if token.is_empty() {
        return Err(ShopError::Load(format!(
            "--admin-token-file {} is empty: put the token of an admin into it",
            file.display()
        )));
    }
    Ok(token.to_owned())
}
