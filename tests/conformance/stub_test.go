package conformance

func runtimeClaims() []claim     { return nil }
func environmentClaims() []claim { return nil }
func lifecycleClaims() []claim   { return nil }
func streamEventClaims() []claim { return nil }
func parameterClaims() []claim   { return nil }
func failureClaims() []claim     { return nil }
func destinationClaims() []claim { return nil }
func filterClaims() []claim      { return nil }
func orderClaims() []claim       { return nil }
func tableClaims() []claim       { return nil }
func permissionClaims() []claim  { return nil }
