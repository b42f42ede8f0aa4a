/** What a browser sees where the dashboard was not built; everything else of the daemon works. */
export const MISSING_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dashboard not built - tollama</title>
</head>
<body>
<main>
<h1>The dashboard is not built</h1>
<p>The daemon runs and answers on its API; only the files of the dashboard are missing.</p>
<p>In the folder of the project, run</p>
<pre>npm run build:dashboard</pre>
<p>and load this page again. The daemon need not be restarted.</p>
</main>
</body>
</html>
`;
